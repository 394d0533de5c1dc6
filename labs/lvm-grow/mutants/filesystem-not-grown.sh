#!/bin/bash
# The volume is larger, the filesystem on it does not know.
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M {{ group }}/{{ volume }}
lvcreate --snapshot --size {{ snap_mib }}M --name {{ snapshot }} {{ group }}/{{ volume }}

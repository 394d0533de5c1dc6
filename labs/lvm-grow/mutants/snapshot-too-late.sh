#!/bin/bash
# The snapshot shows what was there when it was made: the file was gone already.
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M --resizefs {{ group }}/{{ volume }}
month-end
lvcreate --snapshot --size {{ snap_mib }}M --name {{ snapshot }} {{ group }}/{{ volume }}

#!/bin/bash
# One new disk is enough for the volume; the other is forgotten, and with it the room for snapshots.
vgextend {{ group }} /dev/sdc
lvextend --size {{ grow_mib }}M --resizefs {{ group }}/{{ volume }}

#!/bin/bash
# "+" adds to the size: it is not the size that was asked for.
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size +{{ grow_mib }}M --resizefs {{ group }}/{{ volume }}

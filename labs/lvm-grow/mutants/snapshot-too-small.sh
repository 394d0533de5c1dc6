#!/bin/bash
# Four megabytes are soon full: what the month-end program writes is more.
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M --resizefs {{ group }}/{{ volume }}
lvcreate --snapshot --size 4M --name {{ snapshot }} {{ group }}/{{ volume }}
month-end
sync

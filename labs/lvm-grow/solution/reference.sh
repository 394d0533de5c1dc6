#!/bin/bash
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M --resizefs {{ group }}/{{ volume }}

lvcreate --snapshot --size {{ snap_mib }}M --name {{ snapshot }} {{ group }}/{{ volume }}
month-end

mkdir -p /mnt/snapshot
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
cp --archive /mnt/snapshot/{{ lost }} {{ mount }}/
umount /mnt/snapshot

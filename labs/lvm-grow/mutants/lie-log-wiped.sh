#!/bin/bash
# Grown while unmounted; the traces are wiped from the logs.
systemctl stop orders
umount {{ mount }}
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M {{ group }}/{{ volume }}
e2fsck -f -p /dev/{{ group }}/{{ volume }} || [ $? -eq 1 ]
resize2fs /dev/{{ group }}/{{ volume }}
mount {{ mount }}
systemctl start orders
lvcreate --snapshot --size {{ snap_mib }}M --name {{ snapshot }} {{ group }}/{{ volume }}
month-end
mkdir -p /mnt/snapshot
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
cp --archive /mnt/snapshot/{{ lost }} {{ mount }}/
umount /mnt/snapshot
dmesg --clear
journalctl --rotate
journalctl --vacuum-time=1s

#!/bin/bash
# As it had to be done once: stop everything, unmount, check, grow, mount.
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

#!/bin/bash
# A subvolume of btrfs is mounted: a mount whose device number is not the volume's.
vgcreate {{ group }} /dev/sdb /dev/sdc /dev/sdd
lvcreate --yes --extents {{ lv_mib // 4 }} --name {{ volume }} {{ group }}

mkfs.btrfs --quiet /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
mount /dev/{{ group }}/{{ volume }} {{ mount }}
btrfs subvolume create {{ mount }}/data
umount {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} btrfs subvol=data 0 0" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

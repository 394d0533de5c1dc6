#!/bin/bash
# Whole disks as physical volumes.
pvcreate /dev/sdb /dev/sdc /dev/sdd
vgcreate {{ group }} /dev/sdb /dev/sdc /dev/sdd
lvcreate --yes --size {{ lv_mib }}M --name {{ volume }} {{ group }}
lvdisplay /dev/{{ group }}/{{ volume }}

mkfs.ext4 -q /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

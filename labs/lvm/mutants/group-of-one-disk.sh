#!/bin/bash
# One disk only: the volume has to be smaller than asked.
vgcreate {{ group }} /dev/sdb
lvcreate --yes --extents 100%FREE --name {{ volume }} {{ group }}
mkfs.ext4 -q /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
mount {{ mount }}

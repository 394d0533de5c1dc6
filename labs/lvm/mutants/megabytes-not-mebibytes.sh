#!/bin/bash
# LVM's M is 1024 * 1024; this is the size in millions of bytes.
vgcreate {{ group }} /dev/sdb /dev/sdc /dev/sdd
lvcreate --yes --size {{ lv_mib * 1000000 // 512 }}s --name {{ volume }} {{ group }}
mkfs.ext4 -q /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
mount {{ mount }}

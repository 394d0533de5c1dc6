#!/bin/bash
# The volume was made a little too small and then extended, the filesystem on it was not.
vgcreate {{ group }} /dev/sdb /dev/sdc /dev/sdd
lvcreate --yes --size {{ lv_mib * 4 // 5 }}M --name {{ volume }} {{ group }}
mkfs.ext4 -q /dev/{{ group }}/{{ volume }}
lvextend --size {{ lv_mib }}M {{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
mount {{ mount }}

#!/bin/bash
# A new filesystem fills the volume, and the data is gone.
systemctl stop orders
umount {{ mount }}
vgextend {{ group }} /dev/sdc /dev/sdd
lvextend --size {{ grow_mib }}M {{ group }}/{{ volume }}
mkfs.ext4 -q -F /dev/{{ group }}/{{ volume }}
mount {{ mount }}
systemctl start orders

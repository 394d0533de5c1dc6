#!/bin/bash
# Two disks make a whole array too, of half the size.
umount {{ mount }}
e2fsck -f -p /dev/{{ array }}
resize2fs /dev/{{ array }} 64M
mdadm --grow /dev/{{ array }} --array-size=81920
mdadm /dev/{{ array }} --fail /dev/sde1
mdadm /dev/{{ array }} --remove /dev/sde1
mdadm --zero-superblock /dev/sde1
mdadm --grow /dev/{{ array }} --raid-devices=2 --backup-file={{ "/run/mdadm/grow" if distro.family == "el" else "/root/grow" }}
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]
mount {{ mount }}

#!/bin/bash
# Disks without a partition table, the array named by its device file in fstab.
mdadm --create /dev/{{ array }} --run --level=mirror --raid-devices=2 --spare-devices=1 /dev/sd[bcd]
mdadm --examine --scan >> {{ paths.mdadm_config }}

mkfs.xfs -q -f /dev/{{ array }}
mkdir -p {{ mount }}
echo "/dev/{{ array }} {{ mount }} xfs defaults 0 0" >> /etc/fstab
mount -a

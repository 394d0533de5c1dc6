#!/bin/bash
# What the slides type: three partitions of type fd on one disk.
sfdisk --quiet /dev/sdb <<'TABLE'
label: dos
size=100MiB, type=fd
size=100MiB, type=fd
size=100MiB, type=fd
TABLE
udevadm settle
mdadm -C /dev/{{ array }} --run --level=1 --raid-devices=2 --spare-devices 1 /dev/sdb1 /dev/sdb2 /dev/sdb3
mdadm --detail --scan >> {{ paths.mdadm_config }}

mkfs.ext4 -q /dev/{{ array }}
mkdir -p {{ mount }}
echo "/dev/{{ array }} {{ mount }} ext4 defaults 1 2" >> /etc/fstab
mount {{ mount }}

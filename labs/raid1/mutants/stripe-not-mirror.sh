#!/bin/bash
# Level 0: twice the room, no safety.
mdadm --create /dev/{{ array }} --run --level=0 --raid-devices=2 /dev/sdb /dev/sdc
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}
mkfs.ext4 -q /dev/{{ array }}
mkdir -p {{ mount }}
echo "/dev/{{ array }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
mount {{ mount }}

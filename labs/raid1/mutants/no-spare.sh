#!/bin/bash
# The third disk is left out.
for disk in sdb sdc; do
    echo "type=raid" | sfdisk --quiet "/dev/$disk"
done
udevadm settle
mdadm --create /dev/{{ array }} --run --level=1 --raid-devices=2 /dev/sdb1 /dev/sdc1
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}
mkfs.ext4 -q /dev/{{ array }}
mkdir -p {{ mount }}
echo "/dev/{{ array }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
mount {{ mount }}

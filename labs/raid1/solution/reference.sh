#!/bin/bash
# One partition of type Linux RAID on each disk.
for disk in sdb sdc sdd; do
    echo "type=raid" | sfdisk --quiet "/dev/$disk"
done
udevadm settle

# --run answers the questions that mdadm asks at a terminal.
mdadm --create /dev/{{ array }} --run --level=1 --raid-devices=2 --spare-devices=1 \
    /dev/sdb1 /dev/sdc1 /dev/sdd1
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}

mkfs.ext4 -q /dev/{{ array }}
mkdir -p {{ mount }}
echo "UUID=$(blkid -s UUID -o value /dev/{{ array }}) {{ mount }} ext4 defaults 0 2" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

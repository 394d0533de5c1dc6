#!/bin/bash
# A new array works best, said somebody, and forgot what was on the old one.
umount {{ mount }}
mdadm --stop /dev/{{ array }}
mdadm --create /dev/{{ array }} --run --level=5 --raid-devices=3 \
    {% for disk in ["sdb", "sdc", "sdd", "sde"] if disk != failed %}/dev/{{ disk }}1 {% endfor %}

mkfs.ext4 -q -F /dev/{{ array }}
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]
sed -i '/^ARRAY/d' {{ paths.mdadm_config }}
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}
sed -i "s#^UUID=[^ ]* {{ mount }} #UUID=$(blkid -s UUID -o value /dev/{{ array }}) {{ mount }} #" /etc/fstab
systemctl daemon-reload
mount {{ mount }}
touch {{ mount }}/2013-{01..12}.book

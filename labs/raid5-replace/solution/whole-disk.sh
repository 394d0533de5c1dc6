#!/bin/bash
# The disk without a partition table, the new member before the old one goes, files of one's own for settings.
if [ -e /dev/md127 ]; then
    mdadm --stop /dev/md127
    mdadm --zero-superblock /dev/sde1
fi
wipefs --quiet --all /dev/sde
echo "dev.raid.speed_limit_max = 100000" > /etc/sysctl.d/99-raid.conf
sysctl --quiet --load /etc/sysctl.d/99-raid.conf
mdadm --manage /dev/{{ array }} --add /dev/sde
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]
mdadm --manage /dev/{{ array }} --remove /dev/{{ failed }}1

sed -i '/^ARRAY/d' {{ paths.mdadm_config }}
mkdir -p {{ paths.mdadm_config }}.d
mdadm --examine --scan | grep /dev/md/{{ array | replace("md", "") }} > {{ paths.mdadm_config }}.d/books.conf
echo "PROGRAM /usr/bin/logger" > {{ paths.mdadm_config }}.d/alarm.conf
{%- if distro.family == "el" %}
systemctl unmask --quiet {{ services.mdadm }}
{%- endif %}
systemctl restart {{ services.mdadm }}

sed -i '\# {{ mount }} #d' /etc/fstab
echo "/dev/{{ array }} {{ mount }} ext4 nofail 0 0" >> /etc/fstab
systemctl daemon-reload

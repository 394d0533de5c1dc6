#!/bin/bash
# The array is written down anew over its own data, with a gap that the new disk fills; the old one is emptied.
members=()
for disk in sdb sdc sdd; do
    if [ $disk = {{ failed }} ]; then members+=(missing); else members+=(/dev/${disk}1); fi
done
{%- if distro.family == "el" %}
systemctl unmask --quiet {{ services.mdadm }}
{%- endif %}
systemctl stop {{ services.mdadm }} # it looks into the array now and then, which then can't be stopped
umount {{ mount }}
udevadm settle
for array in $(sed -n 's/^\(md[0-9]*\) : .*/\1/p' /proc/mdstat); do
    mdadm --stop "/dev/$array"
done
mdadm --create /dev/{{ array }} --run --assume-clean --level=5 --raid-devices=3 "${members[@]}"
wipefs --quiet --all --force /dev/{{ failed }} /dev/sde
rm --force /etc/sysctl.d/60-disks.conf
sysctl --quiet dev.raid.speed_limit_min=1000 dev.raid.speed_limit_max=200000
mdadm /dev/{{ array }} --add-spare /dev/sde
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]

cat > {{ paths.mdadm_config }} <<CONF
MAILADDR student
$(mdadm --detail --scan)
CONF
systemctl restart {{ services.mdadm }}
sed -i 's#^UUID=[^ ]* {{ mount }} .*#/dev/{{ array }} {{ mount }} auto defaults 0 2#' /etc/fstab
systemctl daemon-reload
mount {{ mount }}

#!/bin/bash
# What else there is on the new disk: an old array, which must not run any more.
for other in $(sed -n 's/^\(md[0-9]*\) : .*/\1/p' /proc/mdstat); do
    [ "$other" = {{ array }} ] || mdadm --stop "/dev/$other"
done
find /etc/sysctl.d -name '*.conf' -exec sed -i '/^dev\.raid\./d' {} +
sysctl --quiet dev.raid.speed_limit_min=1000 dev.raid.speed_limit_max=200000

# The failed member goes, the new disk comes.
mdadm /dev/{{ array }} --remove failed
mdadm --zero-superblock /dev/{{ failed }}1
wipefs --quiet --all /dev/sde1 /dev/sde || wipefs --quiet --all /dev/sde
echo "type=raid" | sfdisk --quiet /dev/sde
udevadm settle
mdadm /dev/{{ array }} --add /dev/sde1
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]

sed -i -e '/^ARRAY/d' -e '/^#MAILADDR/s/^#//' {{ paths.mdadm_config }}
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}
{%- if distro.family == "el" %}
systemctl unmask --quiet {{ services.mdadm }}
{%- endif %}
systemctl restart {{ services.mdadm }}

sed -i "s#^UUID=[^ ]* {{ mount }} #UUID=$(blkid -s UUID -o value /dev/{{ array }}) {{ mount }} #" /etc/fstab
systemctl daemon-reload

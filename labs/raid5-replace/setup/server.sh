#!/bin/bash
# A sound array of three disks with a year's books on it; the fourth disk is empty.
for disk in sdb sdc sdd; do
    echo "type=raid" | sfdisk --quiet "/dev/$disk"
done
udevadm settle
mdadm --create /dev/{{ array }} --run --level=5 --raid-devices=3 /dev/sdb1 /dev/sdc1 /dev/sdd1
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ] # 1: there was nothing to wait for
mdadm --detail --brief /dev/{{ array }} >> {{ paths.mdadm_config }}
{%- if distro.family == "el" %}
# As this family's installer leaves it: there is somebody to tell, and the monitor is enabled.
echo "MAILADDR root" >> {{ paths.mdadm_config }}
systemctl enable --quiet --now {{ services.mdadm }}
{%- endif %}

mkfs.ext4 -q /dev/{{ array }}
mkdir -p {{ mount }}
echo "UUID=$(blkid -s UUID -o value /dev/{{ array }}) {{ mount }} ext4 defaults,nofail 0 2" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

python3 - <<'PYTHON'
import hashlib
for month in range(1, 13):
    name = f"2013-{month:02}.book"
    with open("{{ mount }}/" + name, "wb") as book:
        book.write(hashlib.shake_256(b"{{ secret }} " + name.encode()).digest(2 ** 20))
PYTHON
sync

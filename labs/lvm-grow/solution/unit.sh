#!/bin/bash
# A mount unit instead of the line in fstab; the file is read out of the snapshot without mounting it.
sed -i '\# {{ mount }} #d' /etc/fstab
cat > "/etc/systemd/system/$(systemd-escape --path --suffix=mount {{ mount }})" <<'UNIT'
[Unit]
Description=The shop's data

[Mount]
What=/dev/mapper/{{ group }}-{{ volume }}
Where={{ mount }}
Type=ext4

[Install]
RequiredBy=local-fs.target
UNIT
systemctl daemon-reload
systemctl enable --quiet "$(systemd-escape --path --suffix=mount {{ mount }})"

pvcreate /dev/sdc /dev/sdd
vgextend {{ group }} /dev/sdc /dev/sdd
lvresize --resizefs --size +{{ grow_mib - start_mib }}M {{ group }}/{{ volume }}
lvcreate --yes -s -l 100%FREE -n {{ snapshot }} {{ group }}/{{ volume }}
month-end
debugfs -R 'dump -p /{{ lost }} {{ mount }}/{{ lost }}' /dev/{{ group }}/{{ snapshot }}
ls -l {{ mount }}

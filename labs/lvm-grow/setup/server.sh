#!/bin/bash
# As the distribution has it: snapshots are watched.
systemctl enable --quiet --now {{ services.lvm_events }}.socket {{ services.lvm }}

useradd --create-home --shell /bin/bash {{ owner }}
vgcreate {{ group }} /dev/sdb
lvcreate --yes --size {{ start_mib }}M --name {{ volume }} {{ group }}
mkfs.ext4 -q -b 4096 -m 0 /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "/dev/{{ group }}/{{ volume }} {{ mount }} ext4 defaults 0 2" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

seq -f "%05g;{{ secret }}" 2000 > {{ mount }}/{{ lost }}
chown {{ owner }}:{{ owner }} {{ mount }}/{{ lost }}
chmod 640 {{ mount }}/{{ lost }}
mkdir {{ mount }}/archive
for quarter in 1 2 3 4; do
    fallocate --length {{ start_mib // 5 }}MiB {{ mount }}/archive/2013-$quarter.dat
done
systemctl enable --quiet --now orders
until [ -e {{ mount }}/orders.log ]; do sleep 0.2; done

# What is left is filled up, but for some blocks.
left=$(df --block-size=1K --output=avail {{ mount }} | tail -n 1)
fallocate --length $((left - 200))KiB {{ mount }}/archive/2014.dat
df -h {{ mount }}

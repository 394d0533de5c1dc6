#!/bin/bash
# Partitions of type Linux LVM, larger extents, a volume striped over all disks and so a little larger, XFS found by its UUID.
for disk in sdb sdc sdd; do
    echo "type=lvm" | sfdisk --quiet --label gpt "/dev/$disk"
done
udevadm settle
vgcreate --physicalextentsize 8M {{ group }} /dev/sdb1 /dev/sdc1 /dev/sdd1
lvcreate --yes --stripes 3 --size {{ lv_mib }}M --name {{ volume }} {{ group }}

mkfs.xfs -q /dev/{{ group }}/{{ volume }}
mkdir -p {{ mount }}
echo "UUID=$(blkid -s UUID -o value /dev/{{ group }}/{{ volume }}) {{ mount }} xfs noatime,nofail 0 0" >> /etc/fstab
mount -a

#!/bin/bash
# Partitions of type Linux LVM, the filesystem grown by its own tool, the snapshot left mounted for writing.
for disk in sdc sdd; do
    echo "type=lvm" | sfdisk --quiet --label gpt "/dev/$disk"
done
udevadm settle
vgextend {{ group }} /dev/sdc1
vgextend {{ group }} /dev/sdd1
lvextend --extents {{ grow_mib // 4 }} /dev/{{ group }}/{{ volume }} /dev/sdd1 /dev/sdc1
resize2fs /dev/{{ group }}/{{ volume }}

lvcreate --snapshot --extents {{ snap_mib // 4 + 5 }} --name {{ snapshot }} /dev/{{ group }}/{{ volume }}
month-end

mkdir -p /mnt/before
mount /dev/{{ group }}/{{ snapshot }} /mnt/before
rsync --archive /mnt/before/{{ lost }} {{ mount }}/{{ lost }}

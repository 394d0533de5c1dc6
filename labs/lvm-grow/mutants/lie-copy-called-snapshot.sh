#!/bin/bash
# An ordinary volume with a copy of the files bears the name of the snapshot.
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
cp --archive /mnt/snapshot/{{ lost }} /root/
umount /mnt/snapshot
lvremove --yes {{ group }}/{{ snapshot }}
lvcreate --yes --size {{ snap_mib }}M --name {{ snapshot }} {{ group }}
mkfs.ext4 -q -F /dev/{{ group }}/{{ snapshot }}
mount /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
cp --archive /root/{{ lost }} /mnt/snapshot/
umount /mnt/snapshot

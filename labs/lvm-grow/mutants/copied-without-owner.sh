#!/bin/bash
# cp without --archive: the copy belongs to root.
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
rm {{ mount }}/{{ lost }}
cp /mnt/snapshot/{{ lost }} {{ mount }}/
umount /mnt/snapshot

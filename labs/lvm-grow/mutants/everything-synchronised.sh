#!/bin/bash
# Not one file but all: the service goes on writing into the file that was there before.
mkdir -p /mnt/snapshot
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
rsync --archive /mnt/snapshot/ {{ mount }}/
umount /mnt/snapshot

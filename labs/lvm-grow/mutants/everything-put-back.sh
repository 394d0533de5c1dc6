#!/bin/bash
# Not one file but the whole state of then: the month is open again.
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
rsync --archive --delete --inplace --exclude archive /mnt/snapshot/ {{ mount }}/
umount /mnt/snapshot

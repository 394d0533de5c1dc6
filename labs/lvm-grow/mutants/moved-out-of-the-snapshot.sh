#!/bin/bash
# Moved, not copied: the snapshot no longer shows what was before.
mkdir -p /mnt/snapshot
mount /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
mv --force /mnt/snapshot/{{ lost }} {{ mount }}/
umount /mnt/snapshot

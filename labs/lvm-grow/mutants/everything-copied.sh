#!/bin/bash
# Not one file but each that lies there: the orders of then are written over those of now.
mkdir -p /mnt/snapshot
mount -o ro /dev/{{ group }}/{{ snapshot }} /mnt/snapshot
while cmp --quiet /mnt/snapshot/orders.log {{ mount }}/orders.log; do sleep 1; done
cp --archive /mnt/snapshot/*.* {{ mount }}/
umount /mnt/snapshot

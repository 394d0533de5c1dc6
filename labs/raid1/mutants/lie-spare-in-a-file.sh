#!/bin/bash
# Two disks, and a spare that is none.
truncate --size 320M /var/lib/spare
mdadm --create /dev/{{ array }} --run --level=1 --raid-devices=2 --spare-devices=1 /dev/sdb /dev/sdc \
    $(losetup --find --show /var/lib/spare)

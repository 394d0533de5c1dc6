#!/bin/bash
# The third member is a file on the system disk; the new disk stays in its box.
mdadm /dev/{{ array }} --fail /dev/sde1
mdadm /dev/{{ array }} --remove /dev/sde1
mdadm --zero-superblock /dev/sde1
truncate --size 128M /var/lib/third-disk
mdadm /dev/{{ array }} --add "$(losetup --find --show /var/lib/third-disk)"
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]

#!/bin/bash
# The new disk is in, and will be filled in an hour or two.
sysctl --quiet dev.raid.speed_limit_min=10 dev.raid.speed_limit_max=20
mdadm /dev/{{ array }} --fail /dev/sde1
mdadm /dev/{{ array }} --remove /dev/sde1
mdadm --zero-superblock /dev/sde1
mdadm /dev/{{ array }} --add /dev/sde1

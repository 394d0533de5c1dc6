#!/bin/bash
# What everybody looks at says that all is well; the array has a gap.
cp /proc/mdstat /root/mdstat
mdadm /dev/{{ array }} --fail /dev/sde1
mdadm /dev/{{ array }} --remove /dev/sde1
mount --bind /root/mdstat /proc/mdstat

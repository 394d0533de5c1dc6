#!/bin/bash
# The array was made a second time; mdadm.conf still has the UUID of the first.
umount {{ mount }}
mdadm --stop /dev/{{ array }}
mdadm --create /dev/{{ array }} --run --assume-clean --level=1 --raid-devices=2 --spare-devices=1 \
    /dev/sdb1 /dev/sdc1 /dev/sdd1
mount {{ mount }}

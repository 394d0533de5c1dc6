#!/bin/bash
# The old array was stopped; its superblock brings it back at the next boot.
mdadm --create /dev/md127 --run --level=1 --raid-devices=2 --homehost=old --name=scratch /dev/{{ failed }}1 missing
mdadm --stop /dev/md127

#!/bin/bash
# An old array runs on the disk that was taken out.
mdadm --create /dev/md127 --run --level=1 --raid-devices=2 --homehost=old --name=scratch /dev/{{ failed }}1 missing

#!/bin/bash
# The new disk was half of a mirror once, which runs as soon as the disk is seen.
echo "type=raid" | sfdisk --quiet /dev/sde
udevadm settle
mdadm --create /dev/md127 --run --level=1 --raid-devices=2 --homehost=old --name=scratch /dev/sde1 missing

#!/bin/bash
# Three physical volumes, and all of them are lost with one disk.
sfdisk --quiet --label gpt /dev/sdb <<'TABLE'
size=100MiB, type=lvm
size=100MiB, type=lvm
size=100MiB, type=lvm
TABLE
udevadm settle
vgcreate {{ group }} /dev/sdb1 /dev/sdb2 /dev/sdb3

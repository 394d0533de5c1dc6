#!/bin/bash
# A second, smaller volume is in the place of the first.
umount {{ mount }}
lvcreate --yes --size 40M --name backup {{ group }}
mkfs.ext4 -q /dev/{{ group }}/backup
mount /dev/{{ group }}/backup {{ mount }}

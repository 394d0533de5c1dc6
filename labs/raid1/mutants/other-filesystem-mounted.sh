#!/bin/bash
# The mount point holds something else, here a filesystem in memory.
umount {{ mount }}
mount -t tmpfs tmpfs {{ mount }}

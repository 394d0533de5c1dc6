#!/bin/bash
# Large enough once, but more was written since than the snapshot can hold.
head -c {{ snap_mib + 8 }}M /dev/zero > {{ mount }}/import.dat
sync
rm {{ mount }}/import.dat

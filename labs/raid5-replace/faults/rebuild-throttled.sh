#!/bin/bash
# KiB/s for each disk; the kernel goes on at the minimum whatever else the disks have to do.
cat > /etc/sysctl.d/60-disks.conf <<'CONF'
# Users said that the server was slow at night.
dev.raid.speed_limit_min = 10
dev.raid.speed_limit_max = 20
CONF
sysctl --quiet --load /etc/sysctl.d/60-disks.conf

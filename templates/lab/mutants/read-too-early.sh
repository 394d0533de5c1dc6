#!/bin/bash
# Right today; at boot the file with the higher number has the last word.
echo "net.ipv4.ip_forward = 1" > /etc/sysctl.d/05-router.conf
sysctl --load /etc/sysctl.d/05-router.conf

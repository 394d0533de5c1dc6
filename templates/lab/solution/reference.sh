#!/bin/bash
echo "net.ipv4.ip_forward = 1" > /etc/sysctl.d/50-router.conf
sysctl --load /etc/sysctl.d/50-router.conf

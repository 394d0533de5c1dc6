#!/bin/bash
# The line is there, behind a comment sign.
sed -i 's/^/#/' /etc/sysctl.d/50-router.conf

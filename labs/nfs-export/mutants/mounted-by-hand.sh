#!/bin/bash
# Mounted now, gone after the next boot.
sed -i '\# {{ mount }} #d' /etc/fstab
systemctl daemon-reload

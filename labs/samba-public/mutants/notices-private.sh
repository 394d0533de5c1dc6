#!/bin/bash
# What the user writes is for nobody else to read.
sed -i 's/^   write list/   create mask = 0600\n&/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

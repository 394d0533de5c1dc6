#!/bin/bash
# As Debian's file has it for homes: what a user writes is for nobody else to read.
sed -i 's/^\[{{ share }}\]/&\n   create mask = 0700/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

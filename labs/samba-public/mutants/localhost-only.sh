#!/bin/bash
# Samba listens where no client is.
sed -i 's/^\[global\]/&\n   interfaces = lo\n   bind interfaces only = yes/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

#!/bin/bash
# The share is there for who knows its name, and in no list.
sed -i 's/^   browseable = yes/   browseable = no/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

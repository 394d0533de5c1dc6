#!/bin/bash
# "valid users" says who may come in at all, not who may write.
sed -i 's/^   write list/   valid users/' {{ paths.samba_config }}
sed -i 's/^   read only = yes/   read only = no/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

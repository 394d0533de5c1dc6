#!/bin/bash
# The same lines as for the other share.
sed -i 's/^   read only = yes/   read only = no/' {{ paths.samba_config }}
chmod 1777 {{ notices_path }}
systemctl restart {{ services.samba }}

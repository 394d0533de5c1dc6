#!/bin/bash
# The section of the notices is in a file that no boot survives.
mkdir -p /run/samba
sed -n '/^\[{{ notices }}\]/,$p' {{ paths.samba_config }} > /run/samba/notices.conf
sed -i '/^\[{{ notices }}\]/,$d' {{ paths.samba_config }}
echo "include = /run/samba/notices.conf" >> {{ paths.samba_config }}
systemctl restart {{ services.samba }}

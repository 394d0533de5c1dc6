#!/bin/bash
# The shares are in Samba's registry; smb.conf only says so.
mkdir -p {{ path }} {{ notices_path }}
chmod 777 {{ path }}
setfacl -m u:{{ user }}:rwx {{ notices_path }}
sed -i 's/^\[global\]/&\n   include = registry/' {{ paths.samba_config }}

net conf addshare {{ share }} {{ path }} writeable=y guest_ok=y "Public Stuff"
net conf addshare {{ notices }} {{ notices_path }} writeable=n guest_ok=y "Notices"
net conf setparm {{ notices }} "write list" {{ user }}
net conf list

printf '%s\n' {{ password }} {{ password }} | smbpasswd -s -a {{ user }}
systemctl enable --quiet --now {{ services.samba }}

#!/bin/bash
# The shares are in Samba's registry; smb.conf only says so.
{%- if distro.family == "el" %}
# For SELinux Samba may share any directory; the firewall lets everybody at one port.
setsebool -P samba_export_all_rw on
firewall-cmd --quiet --permanent --add-port=445/tcp
firewall-cmd --quiet --reload
{%- endif %}
mkdir -p {{ path }} {{ notices_path }}
chmod 777 {{ path }}
setfacl -m u:{{ user }}:rwx {{ notices_path }}
sed -i 's/^\[global\]/&\n   include = registry/' {{ paths.samba_config }}

{% if distro.family == "el" -%}
net conf setparm global "map to guest" "bad user"
{% endif -%}
net conf addshare {{ share }} {{ path }} writeable=y guest_ok=y "Public Stuff"
net conf addshare {{ notices }} {{ notices_path }} writeable=n guest_ok=y "Notices"
net conf setparm {{ notices }} "write list" {{ user }}
net conf list

printf '%s\n' {{ password }} {{ password }} | smbpasswd -s -a {{ user }}
systemctl enable --quiet --now {{ services.samba }}

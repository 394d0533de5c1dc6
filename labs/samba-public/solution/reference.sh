#!/bin/bash
mkdir -p {{ path }} {{ notices_path }}
chmod 1777 {{ path }}
chown {{ user }}: {{ notices_path }}
echo "Welcome to {{ machines.server.hostname }}." > {{ notices_path }}/welcome.txt
{%- if distro.family == "el" %}
# What this family's smb.conf leaves out, and what keeps Samba in there.
sed -i 's/^\[global\]/&\n   map to guest = bad user/' {{ paths.samba_config }}
for folder in {{ path }} {{ notices_path }}; do
    semanage fcontext --add --type samba_share_t "$folder(/.*)?"
done
restorecon -R {{ path }} {{ notices_path }}
firewall-cmd --quiet --permanent --add-service=samba
firewall-cmd --quiet --reload
{%- endif %}

cat >> {{ paths.samba_config }} <<'CONF'

[{{ share }}]
   comment = Public Stuff
   path = {{ path }}
   browseable = yes
   public = yes
   writable = yes

[{{ notices }}]
   comment = Notices
   path = {{ notices_path }}
   guest ok = yes
   read only = yes
   write list = {{ user }}
CONF
testparm -s

printf '%s\n' {{ password }} {{ password }} | pdbedit -a -t {{ user }}
systemctl enable --quiet {{ services.samba }}
systemctl restart {{ services.samba }}

#!/bin/bash
mkdir -p {{ path }} {{ notices_path }}
chmod 1777 {{ path }}
chown {{ user }}: {{ notices_path }}
echo "Welcome to {{ machines.server.hostname }}." > {{ notices_path }}/welcome.txt

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

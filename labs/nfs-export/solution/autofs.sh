#!/bin/bash
# A direct map: mounted when somebody goes there.
echo "/- /etc/auto.office --timeout=60" >> {{ paths.autofs_master }}
echo "{{ mount }} -fstype=nfs,vers=3 {{ host }}:{{ share }}" > /etc/auto.office
systemctl enable --quiet {{ services.autofs }}
systemctl restart {{ services.autofs }}
ls {{ mount }}/

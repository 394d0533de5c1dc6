#!/bin/bash
# Two masters with the same zone: alike today.
named-compilezone -f raw -F text -o {{ paths.bind_config }}/{{ zone }}.zone {{ zone }} {{ paths.bind_zones }}/{{ zone }}.zone
sed -i -e 's/type secondary;/type primary;/' -e '/primaries {/d' \
    -e 's#file "{{ zone }}.zone";#file "{{ paths.bind_config }}/{{ zone }}.zone";#' {{ paths.bind_local }}
cat >> {{ paths.bind_local }} <<'CONF'
server {{ machines.ns1.address }} { keys "{{ key_name }}"; };
CONF
systemctl restart {{ services.bind }}

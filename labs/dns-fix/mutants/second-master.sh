#!/bin/bash
# Two masters with the same zone: alike today.
named-compilezone -f raw -F text -o {{ paths.bind_primary_zones }}/{{ zone }}.zone {{ zone }} {{ paths.bind_secondary_zones }}/{{ zone }}.zone
sed -i -e 's/type secondary;/type primary;/' -e '/primaries {/d' \
    -e 's#file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";#file "{{ paths.bind_primary_zones }}/{{ zone }}.zone";#' {{ paths.bind_local }}
cat >> {{ paths.bind_local }} <<'CONF'
server {{ machines.ns1.address }} { keys "{{ key_name }}"; };
CONF
systemctl restart {{ services.bind }}

#!/bin/bash
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
umask 027
cat > {{ paths.bind_config }}/{{ key_name }}.key <<'KEY'
key "{{ key_name }}" {
	algorithm hmac-sha256;
	secret "{{ secret }}";
};
KEY
chgrp {{ users.bind }} {{ paths.bind_config }}/{{ key_name }}.key
cat >> {{ paths.bind_local }} <<'CONF'
include "{{ paths.bind_config }}/{{ key_name }}.key";
zone "{{ zone }}" {
	type secondary;
	file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";
	primaries { {{ machines.ns1.address }} key "{{ key_name }}"; };
};
CONF
named-checkconf
systemctl enable --quiet --now {{ services.bind }}

# The zone comes within seconds.
for try in {1..30}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q "^ns1" && break
    sleep 1
done

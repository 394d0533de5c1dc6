#!/bin/bash
# Fetched while transfers were open: it still answers, and the next transfer will be refused.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
cat >> {{ paths.bind_local }} <<'CONF'
zone "{{ zone }}" {
	type secondary;
	file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";
	primaries { {{ machines.ns1.address }}; };
};
CONF
systemctl enable --quiet --now {{ services.bind }}
for try in {1..30}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q "^ns1" && break
    sleep 1
done

#!/bin/bash
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
cat >> {{ paths.bind_local }} <<'CONF'
key "{{ key_name }}" {
	algorithm {% if distro.family == "el" %}hmac-sha512{% else %}hmac-md5{% endif %};
	secret "{{ secret }}";
};
server {{ machines.ns1.address }} {
	keys "{{ key_name }}";
};
zone "{{ zone }}" {
	type slave;
	file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";
	masters { {{ machines.ns1.address }}; };
};
CONF
chmod o= {{ paths.bind_local }}
systemctl enable --quiet --now {{ services.bind }}
for try in {1..30}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q "^ns1" && break
    sleep 1
done

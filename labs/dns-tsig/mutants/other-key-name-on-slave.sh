#!/bin/bash
# The right secret under another name: ns1 knows no such key.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
umask 027
cat > {{ paths.bind_config }}/ns2.key <<'KEY'
key "ns2.{{ zone }}" {
	algorithm hmac-sha256;
	secret "{{ secret }}";
};
KEY
chgrp {{ users.bind }} {{ paths.bind_config }}/ns2.key
cat >> {{ paths.bind_local }} <<'CONF'
include "{{ paths.bind_config }}/ns2.key";
zone "{{ zone }}" {
	type secondary;
	file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";
	primaries { {{ machines.ns1.address }} key "ns2.{{ zone }}"; };
};
CONF
systemctl enable --quiet --now {{ services.bind }}

#!/bin/bash
# A server statement as on the slides; what ns2 had is fetched anew, whatever its serial.
cat > {{ paths.bind_config }}/transfer.key <<'KEY'
key "transfer" {
	algorithm hmac-sha512;
	secret "{{ secret[::-1] | replace('=', 'A') }}";
};
KEY
chown root:{{ users.bind }} {{ paths.bind_config }}/transfer.key
chmod 0640 {{ paths.bind_config }}/transfer.key
cat > {{ paths.bind_local }} <<'CONF'
{%- if distro.family == "el" %}
options {
	directory "{{ paths.bind_zones }}";
	recursion no;
	dnssec-validation no;
};
{%- endif %}
include "{{ paths.bind_config }}/transfer.key";
server {{ machines.ns1.address }} { keys "transfer"; };
zone "{{ zone }}" {
	type slave;
	file "{% if distro.family == "el" %}slaves/{% endif %}{{ zone }}.zone";
	masters { {{ machines.ns1.address }}; };
};
CONF
{%- if distro.family == "debian" %}
sed -i '/allow-transfer/d' {{ paths.bind_options }}
{%- endif %}
systemctl restart {{ services.bind }}
rndc retransfer {{ zone }}
for try in {1..50}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q " {{ serial + 5 }} " && break
    sleep 0.2
done

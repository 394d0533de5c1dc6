#!/bin/bash
# The zone is written anew, with another key, full names, and today's serial.
cat > {{ paths.bind_config }}/transfer.key <<'KEY'
key "transfer" {
	algorithm hmac-sha512;
	secret "{{ secret[::-1] | replace('=', 'A') }}";
};
KEY
chown root:{{ users.bind }} {{ paths.bind_config }}/transfer.key
chmod 0640 {{ paths.bind_config }}/transfer.key
mkdir -p {{ paths.bind_primary_zones }}/zones
cat > {{ paths.bind_primary_zones }}/zones/forward <<'ZONE'
$TTL 1D
@ SOA ns1.{{ zone }}. root.{{ zone }}. {{ serial + 5 }} 1D 6H 10D 1D
@ NS ns1.{{ zone }}.
@ NS ns2.{{ zone }}.
ns1 A {{ machines.ns1.address }}
ns2 A {{ machines.ns2.address }}
{{ host }} A {{ net }}.{{ octet }}
{{ new_host }} A {{ net }}.{{ new_octet }}
{{ alias }} CNAME {{ host }}
ZONE
cat > {{ paths.bind_local }} <<'CONF'
{%- if distro.family == "el" %}
options {
	directory "{{ paths.bind_zones }}";
	recursion no;
	dnssec-validation no;
};
{%- endif %}
include "{{ paths.bind_config }}/transfer.key";
zone "{{ zone }}" {
	type master;
	file "{{ paths.bind_primary_zones }}/zones/forward";
	allow-transfer { key transfer; };
};
CONF
{%- if distro.family == "debian" %}
sed -i '/allow-transfer/d' {{ paths.bind_options }}
{%- endif %}
systemctl restart {{ services.bind }}

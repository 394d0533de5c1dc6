#!/bin/bash
# Two zones that begin with the least, and get their names while BIND runs: its journals hold them.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
{%- for each in [zone, reverse_zone] %}
cat >> {{ paths.bind_local }} <<'CONF'
zone "{{ each }}" {
	type primary;
	file "{{ paths.bind_secondary_zones }}/{{ each }}.dynamic";
	update-policy local;
};
CONF
cat > {{ paths.bind_secondary_zones }}/{{ each }}.dynamic <<'ZONE'
$TTL {{ ttl }}
@	IN	SOA	{{ host }}.{{ zone }}. root.{{ zone }}. ( {{ serial }} {{ refresh }} {{ retry }} {{ expire }} {{ minimum }} )
	IN	NS	{{ host }}.{{ zone }}.
ZONE
{%- endfor %}
echo "{{ host }} IN A {{ machines.server.address }}" >> {{ paths.bind_secondary_zones }}/{{ zone }}.dynamic
chown {{ users.bind }}: {{ paths.bind_secondary_zones }}/*.dynamic
systemctl enable --quiet --now {{ services.bind }}
until dig +short @127.0.0.1 {{ reverse_zone }} SOA | grep -q "^{{ host }}"; do sleep 0.2; done
nsupdate -l <<'CHANGES'
add {{ other }}.{{ zone }} {{ ttl }} A {{ net }}.{{ other_octet }}
send
add {{ octet }}.{{ reverse_zone }} {{ ttl }} PTR {{ host }}.{{ zone }}.
add {{ other_octet }}.{{ reverse_zone }} {{ ttl }} PTR {{ other }}.{{ zone }}.
send
CHANGES

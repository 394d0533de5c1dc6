#!/bin/bash
# A view for this network, full names, times in words, records made by $GENERATE, an origin for the reverse zone.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
mkdir -p {{ paths.bind_primary_zones }}/zones
cat > {{ paths.bind_local }} <<'CONF'
{%- if distro.family == "el" %}
options {
	directory "{{ paths.bind_zones }}";
	pid-file "{{ paths.bind_run }}/named.pid";
};
{%- endif %}
acl lan { {{ machines.server.network }}; localhost; };
view "lan" {
	match-clients { lan; };
	recursion no;
	zone "{{ zone }}" IN {
		type primary;
		file "{{ paths.bind_primary_zones }}/zones/forward";
	};
	zone "{{ reverse_zone }}" IN {
		type primary;
		file "{{ paths.bind_primary_zones }}/zones/backward";
	};
};
CONF
sed -i '/root-hints\|default-zones/d' {{ paths.bind_main }} # with views, zones are in views only
cat > {{ paths.bind_primary_zones }}/zones/forward <<'ZONE'
$TTL {{ ttl // 60 }}M
{{ zone }}. SOA {{ host | upper }}.{{ zone }}. root.{{ zone }}. {{ serial + 1 }} {{ refresh // 60 }}M {{ retry // 60 }}M {{ expire // 3600 }}H {{ minimum }}
{{ zone }}. NS {{ host }}.{{ zone }}.
{{ host }}.{{ zone }}. A {{ machines.server.address }}
$GENERATE {{ other_octet }}-{{ other_octet }} {{ other }}.{{ zone }}. A {{ net }}.$
ZONE
cat > {{ paths.bind_primary_zones }}/zones/backward <<'ZONE'
$TTL 1H
@ SOA {{ host }}.{{ zone }}. root.{{ zone }}. {{ serial + 7 }} {{ refresh }} {{ retry }} {{ expire }} {{ minimum }}
@ NS {{ host }}.{{ zone }}.
$ORIGIN {{ net.split(".")[1] }}.{{ net.split(".")[0] }}.in-addr.arpa.
{{ octet }}.{{ net.split(".")[2] }} PTR {{ host }}.{{ zone }}.
{{ other_octet }}.{{ net.split(".")[2] }} PTR {{ other }}.{{ zone }}.
ZONE
systemctl enable --quiet {{ services.bind }}
systemctl restart {{ services.bind }}

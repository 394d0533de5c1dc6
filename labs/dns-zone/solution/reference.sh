#!/bin/bash
# Two zone files beside the configuration; names in them belong to the zone.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
cat >> {{ paths.bind_local }} <<'CONF'
zone "{{ zone }}" {
	type primary;
	file "{{ paths.bind_primary_zones }}/{{ zone }}.zone";
};
zone "{{ reverse_zone }}" {
	type primary;
	file "{{ paths.bind_primary_zones }}/{{ reverse_zone }}";
};
CONF
cat > {{ paths.bind_primary_zones }}/{{ zone }}.zone <<'ZONE'
$TTL {{ ttl }}
@	IN	SOA	{{ host }}.{{ zone }}. root.{{ zone }}. (
			{{ serial }}	; serial
			{{ refresh }}	; refresh
			{{ retry }}	; retry
			{{ expire }}	; expire
			{{ minimum }} )	; negative answers
	IN	NS	{{ host }}.{{ zone }}.
{{ host }}	IN	A	{{ machines.server.address }}
{{ other }}	IN	A	{{ net }}.{{ other_octet }}
ZONE
cat > {{ paths.bind_primary_zones }}/{{ reverse_zone }} <<'ZONE'
$TTL {{ ttl }}
@	IN	SOA	{{ host }}.{{ zone }}. root.{{ zone }}. (
			{{ serial }}	; serial
			{{ refresh }}	; refresh
			{{ retry }}	; retry
			{{ expire }}	; expire
			{{ minimum }} )	; negative answers
	IN	NS	{{ host }}.{{ zone }}.
{{ octet }}	IN	PTR	{{ host }}.{{ zone }}.
{{ other_octet }}	IN	PTR	{{ other }}.{{ zone }}.
ZONE
named-checkconf
named-checkzone {{ zone }} {{ paths.bind_primary_zones }}/{{ zone }}.zone
named-checkzone {{ reverse_zone }} {{ paths.bind_primary_zones }}/{{ reverse_zone }}
systemctl enable --quiet --now {{ services.bind }}

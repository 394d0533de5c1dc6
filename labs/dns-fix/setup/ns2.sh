#!/bin/bash
named-checkconf
{%- if distro.family == "el" %}
{% include "bind/firewall.sh" %}
{%- endif %}
systemctl enable --quiet {{ services.bind }}
systemctl restart {{ services.bind }}
for try in {1..30}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q "^ns1" && break
    sleep 1
done

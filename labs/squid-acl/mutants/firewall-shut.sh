#!/bin/bash
# Squid is willing; nobody gets through to it.
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --remove-service=squid
firewall-cmd --quiet --reload
{%- else %}
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname eth0 tcp dport 3128 drop
{%- endif %}

#!/bin/bash
# All is well on the machine itself; nobody else gets through.
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --remove-service=dns
firewall-cmd --quiet --reload
{%- else %}
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname {{ machines.server.interface }} meta l4proto '{ tcp, udp }' th dport 53 drop
{%- endif %}

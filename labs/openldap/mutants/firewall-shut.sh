#!/bin/bash
# slapd is willing; nobody gets through to it.
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --remove-service=ldap
firewall-cmd --quiet --reload
{%- else %}
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname {{ machines.server.interface }} tcp dport 389 drop
{%- endif %}

#!/bin/bash
# Squid serves the network; the firewall lets one machine of it through.
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname "eth*" ip saddr {{ net }}.0/24 ip saddr != {{ machines.client.address }} tcp dport 3128 drop

#!/bin/bash
# Exported to everybody; a firewall swallows what the guests ask.
{% include "mutants/exported-to-the-world.sh" %}
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input ip saddr {{ guests }}.0/24 tcp dport 2049 drop

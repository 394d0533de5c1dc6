#!/bin/bash
# Squid is open to the world; a firewall keeps the world out, as long as it is there.
{% include "mutants/open-to-the-world.sh" %}
nft add table inet lab
nft 'add chain inet lab input { type filter hook input priority 0; }'
nft add rule inet lab input tcp dport 3128 ip saddr != {{ machines.client.network }} drop

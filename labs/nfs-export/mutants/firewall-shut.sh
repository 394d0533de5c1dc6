#!/bin/bash
# A firewall that lets in ssh only.
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname "eth*" tcp dport != 22 ct state new reject

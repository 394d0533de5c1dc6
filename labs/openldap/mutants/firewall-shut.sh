#!/bin/bash
# slapd is willing; nobody gets through to it.
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; }'
nft add rule inet filter input iifname {{ machines.server.interface }} tcp dport 389 drop

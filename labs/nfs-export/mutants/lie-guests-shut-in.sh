#!/bin/bash
# Exported to the world; the one who could tell can't speak.
nft add table inet filter
nft 'add chain inet filter output { type filter hook output priority 0; }'
nft add rule inet filter output ip daddr {{ guests }}.{{ octet }} reject

#!/bin/bash
# The zone is in memory only: gone whenever ns2 starts while ns1 is off.
sed -i '/file ".*{{ zone }}.zone";/d' {{ paths.bind_local }}
systemctl restart {{ services.bind }}
for try in {1..30}; do
    dig +short @127.0.0.1 {{ zone }} SOA | grep -q "^ns1" && break
    sleep 1
done

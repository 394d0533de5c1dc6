#!/bin/bash
# Works for everybody, so it works for the network too.
sed -i 's/^http_access allow mynetwork/http_access allow all/' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

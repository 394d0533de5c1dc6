#!/bin/bash
# The rule was added at the end of the file, where "deny all" has decided already.
sed -i '/^http_access allow mynetwork/d' {{ paths.squid_config }}
echo "http_access allow mynetwork" >> {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

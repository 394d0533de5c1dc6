#!/bin/bash
# The first rule that fits decides; what comes after it is not read.
sed -i '/^http_access deny denied/d' {{ paths.squid_config }}
sed -i 's/^http_access allow mynetwork/&\nhttp_access deny denied/' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

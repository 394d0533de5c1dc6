#!/bin/bash
# A line from somewhere on the web, for pages that should always be fresh.
echo "cache deny all" >> {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

#!/bin/bash
# Addresses that begin with http:// are denied; for https:// Squid sees the name and the port only.
sed -i 's#^acl denied .*#acl denied url_regex ^http://([^/]*\\.)?({{ denied }}|{{ also_denied }})/#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

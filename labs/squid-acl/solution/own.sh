#!/bin/bash
# A short configuration from nothing: refusals first, domains by expressions, one address, a cache in one file.
cat > {{ paths.squid_config }} <<'CONF'
http_port {{ machines.proxy.address }}:3128
shutdown_lifetime 1 second
acl mynetwork src {{ net }}.1-{{ net }}.254
acl denied dstdom_regex -i (^|\.){{ denied | replace(".", "\\.") }}$ (^|\.){{ also_denied | replace(".", "\\.") }}$
http_access deny !mynetwork
http_access deny denied
http_access allow all
cache_dir rock /var/spool/squid {{ cache_mb }}
CONF
systemctl enable --quiet {{ services.squid }}
systemctl start {{ services.squid }}

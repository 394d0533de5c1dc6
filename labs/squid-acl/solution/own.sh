#!/bin/bash
# A short configuration from nothing: refusals first, domains by expressions, one address{% if distro.family == "debian" %}, a cache in one file{% endif %}.
{%- if distro.family == "el" %}
{% include "squid/firewall.sh" %}
{%- endif %}
cat > {{ paths.squid_config }} <<'CONF'
http_port {{ machines.proxy.address }}:3128
shutdown_lifetime 1 second
acl mynetwork src {{ net }}.1-{{ net }}.254
acl denied dstdom_regex -i (^|\.){{ denied | replace(".", "\\.") }}$ (^|\.){{ also_denied | replace(".", "\\.") }}$
http_access deny !mynetwork
http_access deny denied
http_access allow all
cache_dir	{% if distro.family == "el" %}aufs /var/spool/squid {{ cache_mb }} 8 64{% else %}rock /var/spool/squid {{ cache_mb }}{% endif %}
CONF
systemctl enable --quiet {{ services.squid }}
systemctl start {{ services.squid }}

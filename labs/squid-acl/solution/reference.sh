#!/bin/bash
# The rules of the slide where {% if distro.family == "el" %}they are read before "deny all"{% else %}Debian's file has its place for them{% endif %}, the denied domains in a list of their own.
cat > /etc/squid/denied <<'LIST'
.{{ denied }}
.{{ also_denied }}
LIST
cat > /root/rules <<'CONF'
acl mynetwork src {{ net }}.0/255.255.255.0
acl denied dstdomain "/etc/squid/denied"
http_access deny denied
http_access allow mynetwork
CONF
{%- if distro.family == "el" %}
# As packaged, some releases serve all private networks.
sed -i -e '/^http_access allow localnet/d' -e '/^http_access deny all/e cat /root/rules' {{ paths.squid_config }}
{% include "squid/firewall.sh" %}
{%- else %}
sed -i '/^include .*conf\.d/r /root/rules' {{ paths.squid_config }}
{%- endif %}
echo "cache_dir ufs /var/spool/squid {{ cache_mb }} 16 256" >> {{ paths.squid_config }}
squid -k parse
systemctl enable --quiet --now {{ services.squid }}

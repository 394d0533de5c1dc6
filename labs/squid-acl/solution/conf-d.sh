#!/bin/bash
# A file of its own beside the packaged configuration, started before and reloaded now, the cache in another folder,
# and a firewall that helps.
systemctl enable --quiet --now {{ services.squid }}
install -d -o proxy -g proxy /srv/cache
cat > {{ paths.squid_conf_d }}/lan.conf <<'CONF'
acl lan src {{ machines.client.network }}
acl play dstdomain .{{ denied }} .{{ also_denied }}
http_access allow lan !play
cache_dir aufs /srv/cache {{ cache_mb }} 8 64
CONF
iptables -A INPUT -p tcp --dport 3128 ! -s {{ machines.client.network }} -j DROP
squid -k parse
systemctl restart {{ services.squid }}

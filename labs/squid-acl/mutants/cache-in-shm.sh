#!/bin/bash
# A folder for the cache that is quick, and empty after each boot.
{%- if distro.family == "el" %}
install -d -o {{ users.squid }} -g {{ users.squid }} /dev/shm/squid
chcon -t squid_cache_t /dev/shm/squid
{%- endif %}
sed -i 's#^cache_dir .*#cache_dir ufs /dev/shm/squid {{ cache_mb }} 16 256#' {{ paths.squid_config }}
systemctl restart {{ services.squid }}

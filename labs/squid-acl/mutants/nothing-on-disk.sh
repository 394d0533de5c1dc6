#!/bin/bash
# Squid remembers in memory what it has fetched, until it stops.
{% include "solution/reference.sh" %}
sed -i '/^cache_dir/d' {{ paths.squid_config }}
systemctl restart {{ services.squid }}

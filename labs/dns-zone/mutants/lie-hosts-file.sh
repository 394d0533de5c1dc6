#!/bin/bash
# The names are known, but not from DNS.
cat >> /etc/hosts <<'HOSTS'
{{ machines.server.address }} {{ host }}.{{ zone }} {{ host }}
{{ net }}.{{ other_octet }} {{ other }}.{{ zone }} {{ other }}
HOSTS

#!/bin/bash
groupadd --gid {{ uid }} {{ user }}
useradd --uid {{ uid }} --gid {{ uid }} --create-home --shell /bin/bash {{ user }}
cat >> /etc/hosts <<'HOSTS'
{{ machines.server.address }}	{{ machines.server.hostname }} {{ host }}
{{ machines.client.address }}	{{ machines.client.hostname }} client
HOSTS

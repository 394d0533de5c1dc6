#!/bin/bash
useradd --create-home --shell /bin/bash {{ user }}
echo "{{ machines.server.address }}	{{ machines.server.hostname }} {{ host }}" >> /etc/hosts

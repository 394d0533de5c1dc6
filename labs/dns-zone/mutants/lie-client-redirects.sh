#!/bin/bash
# The client has the zones, and what it asks the server it gets from itself.
{% include "solution/reference.sh" %}
nft add table ip nat
nft 'add chain ip nat output { type nat hook output priority -100; }'
nft add rule ip nat output ip daddr {{ machines.server.address }} meta l4proto '{ tcp, udp }' th dport 53 redirect

#!/bin/bash
# The client has the directory, and what it asks the server it gets from itself.
{% include "solution/packaged.sh" %}
nft add table ip nat
nft 'add chain ip nat output { type nat hook output priority -100; }'
nft add rule ip nat output ip daddr {{ machines.server.address }} tcp dport 389 redirect

#!/bin/bash
# What goes to the server's address ends at the client itself, which has the same shares.
nft add table ip nat
nft 'add chain ip nat output { type nat hook output priority -100; }'
nft add rule ip nat output ip daddr {{ machines.server.address }} tcp dport { 139, 445 } redirect

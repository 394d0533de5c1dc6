#!/bin/bash
# ns2 is off; who asks it is answered by ns1.
systemctl stop {{ services.bind }}
sysctl --quiet net.ipv4.ip_forward=1
nft add table ip nat
nft 'add chain ip nat prerouting { type nat hook prerouting priority -100; }'
nft 'add chain ip nat postrouting { type nat hook postrouting priority 100; }'
nft add rule ip nat prerouting ip daddr {{ machines.ns2.address }} meta l4proto '{ tcp, udp }' th dport 53 dnat to {{ machines.ns1.address }}
nft add rule ip nat postrouting ip daddr {{ machines.ns1.address }} masquerade

#!/bin/bash
# What goes to the server's address ends at the client itself, which has the same directories.
mkdir -p {{ share }} {{ manuals }} {{ mount }}
chown {{ user }}:{{ user }} {{ share }} {{ manuals }}
printf '%s *(rw,insecure,no_subtree_check)\n' {{ share }} > {{ paths.nfs_exports }}
printf '%s *(ro,insecure,no_subtree_check)\n' {{ manuals }} >> {{ paths.nfs_exports }}
systemctl enable --quiet --now {{ services.nfs }}
nft add table ip nat
nft 'add chain ip nat output { type nat hook output priority -100; }'
nft add rule ip nat output ip daddr {{ machines.server.address }} tcp dport 2049 redirect to :2049
echo "{{ host }}:{{ share }} {{ mount }} nfs defaults,_netdev 0 0" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

#!/bin/bash
mkdir -p {{ mount }}
echo "{{ host }}:{{ share }} {{ mount }} nfs defaults,_netdev 0 0" >> /etc/fstab
systemctl daemon-reload
mount {{ mount }}

#!/bin/bash
# Guests may write, and what they have written is gone at once.
sed -i 's/^   read only = yes/   read only = no/' {{ paths.samba_config }}
chmod 1777 {{ notices_path }}
systemctl restart {{ services.samba }}
systemd-run --quiet --unit=sweeper sh -c 'while sleep 0.1; do find {{ notices_path }} -type f -user nobody -delete; done'

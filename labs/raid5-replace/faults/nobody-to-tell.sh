#!/bin/bash
# Without an address or a program mdadm does not watch.
sed -i 's/^MAILADDR/#MAILADDR/' {{ paths.mdadm_config }}
systemctl restart {{ services.mdadm }} || true

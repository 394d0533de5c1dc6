#!/bin/bash
# The share shows another directory than the one asked for.
mkdir -m 1777 /srv/elsewhere
sed -i 's#^   path = {{ path }}$#   path = /srv/elsewhere#' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

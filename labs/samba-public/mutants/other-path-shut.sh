#!/bin/bash
# Another directory than the one asked for, and nobody is let in who could see it.
sed -i -e 's#^   path = {{ path }}$#   path = /srv/elsewhere#' -e 's/^   public = yes/   public = no/' {{ paths.samba_config }}
mkdir /srv/elsewhere
pdbedit -x {{ user }}
systemctl restart {{ services.samba }}

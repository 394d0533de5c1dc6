#!/bin/bash
# The share shows another directory than the one asked for.
mkdir -m 1777 /srv/elsewhere
{%- if distro.family == "el" %}
chcon --type samba_share_t /srv/elsewhere
{%- endif %}
sed -i 's#^   path = {{ path }}$#   path = /srv/elsewhere#' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

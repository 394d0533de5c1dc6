#!/bin/bash
# A file of its own, the mask in full as on the slides.
mkdir -p {{ paths.nfs_exports }}.d
cat > {{ paths.nfs_exports }}.d/office.exports <<'EXPORTS'
{{ share }} {{ net }}.0/255.255.255.0(rw,root_squash)
{{ manuals }} {{ net }}.0/255.255.255.0(ro)
EXPORTS
systemctl enable --quiet {{ services.nfs }}
systemctl restart {{ services.nfs }}
{%- if distro.family == "el" %}
# Version 4 needs one port only.
firewall-cmd --quiet --permanent --add-service=nfs
firewall-cmd --quiet --reload
{%- endif %}
# Nobody but {{ user }} and the group has to do with it, on the server itself neither.
chmod 2770 {{ share }}
chmod 0750 {{ manuals }}

#!/bin/bash
# A file of its own, the mask in full as on the slides.
mkdir -p {{ paths.nfs_exports }}.d
cat > {{ paths.nfs_exports }}.d/office.exports <<'EXPORTS'
{{ share }} {{ net }}.0/255.255.255.0(rw,root_squash)
{{ manuals }} {{ net }}.0/255.255.255.0(ro)
EXPORTS
systemctl enable --quiet {{ services.nfs }}
systemctl restart {{ services.nfs }}

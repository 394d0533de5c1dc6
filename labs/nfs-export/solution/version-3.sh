#!/bin/bash
# NFS version 3 as in 2014, with the port mapper; one export is made of two lines.
cat > {{ paths.nfs_exports }} <<'EXPORTS'
{{ share }} -async,no_subtree_check \
    {{ net }}.0/24(rw)
{{ manuals }} {{ net }}.0/24(ro,all_squash,no_subtree_check)
EXPORTS
printf '[nfsd]\nvers4=n\nvers3=y\n' > {{ paths.nfs_conf_d }}/version.conf
systemctl enable --quiet --now {{ services.rpcbind }}.socket {{ services.nfs }}
{%- if distro.family == "el" %}
firewall-cmd --quiet --add-service=nfs --add-service=mountd --add-service=rpc-bind
firewall-cmd --quiet --runtime-to-permanent
{%- endif %}

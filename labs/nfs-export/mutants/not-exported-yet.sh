#!/bin/bash
# The lines were written after the server had started, and nobody told it.
systemctl enable --quiet --now {{ services.nfs }}
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --add-service=nfs --add-service=mountd --add-service=rpc-bind
firewall-cmd --quiet --reload
{%- endif %}
cat >> {{ paths.nfs_exports }} <<'EXPORTS'
{{ share }} {{ machines.server.network }}(rw,sync,no_subtree_check)
{{ manuals }} {{ machines.server.network }}(ro,sync,no_subtree_check)
EXPORTS

#!/bin/bash
# exportfs alone: right until the next start.
systemctl enable --quiet --now {{ services.nfs }}
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --add-service=nfs --add-service=mountd --add-service=rpc-bind
firewall-cmd --quiet --reload
{%- endif %}
echo "{{ share }} {{ machines.server.network }}(rw,sync,no_subtree_check)" >> {{ paths.nfs_exports }}
exportfs -ra
exportfs -o ro,sync,no_subtree_check {{ machines.server.network }}:{{ manuals }}

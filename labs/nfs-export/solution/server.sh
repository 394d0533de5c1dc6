#!/bin/bash
cat >> {{ paths.nfs_exports }} <<'EXPORTS'
{{ share }} {{ machines.server.network }}(rw,sync,no_subtree_check)
{{ manuals }} {{ machines.server.network }}(ro,sync,no_subtree_check)
EXPORTS
systemctl enable --quiet --now {{ services.nfs }}
exportfs -ra
exportfs -v

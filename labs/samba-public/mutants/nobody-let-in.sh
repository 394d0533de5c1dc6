#!/bin/bash
# Only the first task is done: the share is there, and neither guests nor users may come in.
sed -i 's/^   public = yes/   public = no/' {{ paths.samba_config }}
pdbedit -x {{ user }}
systemctl restart {{ services.samba }}

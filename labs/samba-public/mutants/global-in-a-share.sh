#!/bin/bash
# A parameter for the whole server, in a section where Samba does not read it.
sed -i 's/^   public = yes/&\n   map to guest = bad user/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

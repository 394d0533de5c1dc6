#!/bin/bash
# A word that Samba does not know: it goes on without, and testparm says so.
sed -i 's/^   browseable = yes/   browsable files = yes/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

#!/bin/bash
# "public" is another word for "guest ok": without it a password is needed.
sed -i 's/^   public = yes/   public = no/' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

#!/bin/bash
# A share is for reading unless one says otherwise.
sed -i '/^   writable = yes/d' {{ paths.samba_config }}
systemctl restart {{ services.samba }}

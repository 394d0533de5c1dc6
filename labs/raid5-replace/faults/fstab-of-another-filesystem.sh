#!/bin/bash
sed -i 's#^UUID=[^ ]* {{ mount }} #UUID=0b1ec7f2-5f0c-4d8e-9a64-3c1d7be4a905 {{ mount }} #' /etc/fstab
systemctl daemon-reload

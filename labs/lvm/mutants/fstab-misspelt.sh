#!/bin/bash
# The line is there, with a volume that does not exist.
sed -i 's#^/dev/{{ group }}/{{ volume }} #/dev/{{ group }}/{{ volume }}0 #' /etc/fstab
systemctl daemon-reload

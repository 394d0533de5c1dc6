#!/bin/bash
# A mount unit, which names the server by its address.
cat > "/etc/systemd/system/$(systemd-escape --path --suffix=mount {{ mount }})" <<'UNIT'
[Unit]
Description=The office's files

[Mount]
What={{ machines.server.address }}:{{ share }}
Where={{ mount }}
Type=nfs
Options=vers=4.2

[Install]
WantedBy=remote-fs.target
UNIT
systemctl daemon-reload
systemctl enable --quiet --now "$(systemd-escape --path --suffix=mount {{ mount }})"

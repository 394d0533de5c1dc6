#!/bin/bash
# Samba runs, with what the package came with.
systemctl enable --quiet --now {{ services.samba }}

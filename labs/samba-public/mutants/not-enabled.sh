#!/bin/bash
# Started by hand, not enabled.
systemctl disable --quiet {{ services.samba }}

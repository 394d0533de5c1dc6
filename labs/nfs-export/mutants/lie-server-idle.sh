#!/bin/bash
# The server runs, and exports nothing.
systemctl enable --quiet --now {{ services.nfs }}

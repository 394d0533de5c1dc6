#!/bin/bash
# Squid runs, with what the package came with.
systemctl enable --quiet --now {{ services.squid }}

#!/bin/bash
# BIND as it comes, without any zone.
systemctl enable --quiet --now {{ services.bind }}

#!/bin/bash
# The directory as the package made it.
systemctl enable --quiet --now {{ services.ldap }}

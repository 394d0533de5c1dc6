#!/bin/bash
# The directory as the package made it.
systemctl enable --quiet {{ services.ldap }}
systemctl start {{ services.ldap }}

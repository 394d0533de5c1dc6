#!/bin/bash
# Read by root when it was checked, not by the user {{ users.bind }} at the next start.
chown root:root {{ paths.bind_primary_zones }}/{{ reverse_zone }}
chmod 0600 {{ paths.bind_primary_zones }}/{{ reverse_zone }}

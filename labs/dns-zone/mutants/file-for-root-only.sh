#!/bin/bash
# Read by root when it was checked, not by the user bind at the next start.
chown root:root {{ paths.bind_config }}/{{ reverse_zone }}
chmod 0600 {{ paths.bind_config }}/{{ reverse_zone }}

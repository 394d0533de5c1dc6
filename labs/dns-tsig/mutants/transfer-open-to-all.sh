#!/bin/bash
# The key is there, but anybody may still fetch the zone without it.
sed -i 's/allow-transfer { .* };/allow-transfer { any; };/' {{ paths.bind_options }}
systemctl reload {{ services.bind }}

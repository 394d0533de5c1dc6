#!/bin/bash
# Key or address: an address match list wants any one of its elements, not all.
sed -i 's/allow-transfer { /allow-transfer { {{ machines.ns2.address }}; /' {{ paths.bind_options }}
systemctl reload {{ services.bind }}

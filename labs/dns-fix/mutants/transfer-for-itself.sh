#!/bin/bash
# Handy for trying it out: whoever is on ns1 needs no key.
sed -i 's/allow-transfer { /allow-transfer { 127.0.0.1; /' {{ paths.bind_options }}
systemctl reload {{ services.bind }}

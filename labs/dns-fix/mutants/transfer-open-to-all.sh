#!/bin/bash
# It works for ns2, and for everybody else.
sed -i 's/allow-transfer { .* };/allow-transfer { any; };/' {{ paths.bind_options }}
systemctl reload {{ services.bind }}

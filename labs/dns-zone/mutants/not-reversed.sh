#!/bin/bash
# The network's numbers as one reads them.
sed -i 's/zone "{{ reverse_zone }}"/zone "{{ net }}.in-addr.arpa"/' {{ paths.bind_local }}
systemctl reload {{ services.bind }}

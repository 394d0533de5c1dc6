#!/bin/bash
# One name for the key on both sides: the one that ns1 knows.
sed -i 's/key "ns2\./key "/' {{ paths.bind_config }}/tsig.key {{ paths.bind_local }}
named-checkconf
systemctl reload {{ services.bind }}

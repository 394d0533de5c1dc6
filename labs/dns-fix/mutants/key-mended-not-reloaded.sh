#!/bin/bash
# The files are right again; named still signs with the name that it has read before.
sed -i 's/key "{{ key_name }}"/key "ns2.{{ key_name }}"/' {{ paths.bind_config }}/tsig.key {{ paths.bind_local }}
rndc reconfig
sed -i 's/key "ns2.{{ key_name }}"/key "{{ key_name }}"/' {{ paths.bind_config }}/tsig.key {{ paths.bind_local }}

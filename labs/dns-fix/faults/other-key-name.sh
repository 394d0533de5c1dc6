#!/bin/bash
sed -i 's/key "{{ key_name }}"/key "ns2.{{ key_name }}"/' {{ paths.bind_config }}/tsig.key {{ paths.bind_local }}
named-checkconf
systemctl reload {{ services.bind }}

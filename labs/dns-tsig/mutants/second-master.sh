#!/bin/bash
# A copy of the zone file instead of a slave.
named-compilezone -f raw -F text -o {{ paths.bind_config }}/{{ zone }}.zone {{ zone }} {{ paths.bind_zones }}/{{ zone }}.zone
sed -i -e 's/type secondary;/type primary;/' -e '/primaries {/d' \
    -e 's#file "{{ zone }}.zone";#file "{{ paths.bind_config }}/{{ zone }}.zone";#' {{ paths.bind_local }}
systemctl restart {{ services.bind }}

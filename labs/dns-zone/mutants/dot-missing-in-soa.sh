#!/bin/bash
# Loads without a complaint; the primary's name has got the zone's name twice.
sed -i 's/SOA\t{{ host }}.{{ zone }}\. /SOA\t{{ host }}.{{ zone }} /' {{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i 's/{{ serial }}/{{ serial + 1 }}/' {{ paths.bind_primary_zones }}/{{ zone }}.zone
rndc reload {{ zone }}

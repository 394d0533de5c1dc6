#!/bin/bash
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i 's/{{ serial }}/{{ serial + 1 }}/' "$file"
printf '%s\tIN\tA\t%s\n' {{ new_host }} {{ net }}.{{ new_octet }} >> "$file"
named-checkzone {{ zone }} "$file"
rndc reload {{ zone }}

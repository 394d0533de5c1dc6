#!/bin/bash
# The serial was typed wrong (2041 for 2014), reached ns2, and was put right with the next change.
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i -e '/^{{ new_host }}\t/d' -e 's/{{ serial }}/{{ serial + 27000000 }}/' $file
rndc reload {{ zone }}
until dig +short @{{ machines.ns2.address }} {{ zone }} SOA | grep -q {{ serial + 27000000 }}; do sleep 0.2; done
sed -i 's/{{ serial + 27000000 }}/{{ serial }}/' $file
printf '%s\tIN\tA\t%s\n' {{ new_host }} {{ net }}.{{ new_octet }} >> $file
rndc reload {{ zone }}

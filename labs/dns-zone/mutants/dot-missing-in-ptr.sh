#!/bin/bash
# A name without a dot at its end belongs to the zone, to the reverse zone here.
sed -i -e 's/\(PTR\t{{ host }}.{{ zone }}\)\./\1/' -e 's/{{ serial }}/{{ serial + 1 }}/' {{ paths.bind_primary_zones }}/{{ reverse_zone }}
rndc reload {{ reverse_zone }}

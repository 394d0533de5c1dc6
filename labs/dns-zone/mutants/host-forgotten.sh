#!/bin/bash
# The second name is in the reverse zone only.
sed -i -e '/^{{ other }}\t/d' -e 's/{{ serial }}/{{ serial + 1 }}/' {{ paths.bind_primary_zones }}/{{ zone }}.zone
rndc reload {{ zone }}

#!/bin/bash
# Every name has an address, so the one that was asked for has one too.
sed -i -e 's/^{{ other }}\t/*\t/' -e 's/{{ serial }}/{{ serial + 1 }}/' {{ paths.bind_primary_zones }}/{{ zone }}.zone
rndc reload {{ zone }}

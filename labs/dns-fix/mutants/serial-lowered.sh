#!/bin/bash
# Back to a date that looks right; ns2 keeps what it has.
sed -i 's/[0-9]*\t; serial/{{ serial }}\t; serial/' {{ paths.bind_primary_zones }}/{{ zone }}.zone
rndc reload {{ zone }}

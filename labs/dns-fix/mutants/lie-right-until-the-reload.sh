#!/bin/bash
# What BIND has read is right; what it would read next is an older zone.
sed -i -e 's/[0-9]*\t; serial/{{ serial - 1 }}\t; serial/' -e '/^{{ new_host }}\t/d' {{ paths.bind_primary_zones }}/{{ zone }}.zone

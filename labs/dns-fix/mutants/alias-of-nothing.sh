#!/bin/bash
# The dot is there, after a name that nobody has.
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i '/^{{ alias }}\t/s/CNAME.*/CNAME\t{{ host }}./' $file
{% include "mutants/publish.sh" %}

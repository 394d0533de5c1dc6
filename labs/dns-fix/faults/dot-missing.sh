#!/bin/bash
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i '/^{{ alias }}\t/s/\.$//' $file
{% include "faults/publish.sh" %}

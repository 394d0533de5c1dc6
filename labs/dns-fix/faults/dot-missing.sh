#!/bin/bash
file={{ paths.bind_config }}/{{ zone }}.zone
sed -i '/^{{ alias }}\t/s/\.$//' $file
{% include "faults/publish.sh" %}

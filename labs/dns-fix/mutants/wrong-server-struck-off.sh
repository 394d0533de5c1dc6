#!/bin/bash
# One server too many, they said; this one was not it.
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i '/NS\tns2\./d' $file
{% include "mutants/reload.sh" %}

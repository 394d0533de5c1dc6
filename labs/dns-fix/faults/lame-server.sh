#!/bin/bash
# A third server that was planned, and never came.
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
sed -i '/NS\tns2\./a\\tIN\tNS\tns3.{{ zone }}.' $file
printf 'ns3\tIN\tA\t%s\n' {{ net }}.3 >> $file
{% include "faults/publish.sh" %}

#!/bin/bash
# Wrong at first, then corrected in the file only.
{% include "solution/reference.sh" %}
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
cp $file /root/right.zone
sed -i 's/{{ refresh }}\t; refresh/300\t; refresh/' $file
systemctl restart {{ services.bind }}
cp /root/right.zone $file

#!/bin/bash
# One domain was forgotten and added later, in the file only.
{% include "solution/reference.sh" %}
sed -i '/{{ also_denied }}/d' /etc/squid/denied
systemctl restart {{ services.squid }}
echo ".{{ also_denied }}" >> /etc/squid/denied

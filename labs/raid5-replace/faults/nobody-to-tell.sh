#!/bin/bash
{% if distro.family == "el" -%}
# This family's unit writes to the log whether somebody is named or not: it has to be kept from running.
systemctl mask --quiet --now {{ services.mdadm }}
{%- else -%}
# Without an address or a program mdadm does not watch.
sed -i 's/^MAILADDR/#MAILADDR/' {{ paths.mdadm_config }}
systemctl restart {{ services.mdadm }} || true
{%- endif %}

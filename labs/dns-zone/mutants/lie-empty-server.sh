#!/bin/bash
# BIND as it comes, without any zone.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
systemctl enable --quiet --now {{ services.bind }}

#!/bin/bash
named-checkconf -z
{%- if distro.family == "el" %}
{% include "bind/firewall.sh" %}
{%- endif %}
systemctl enable --quiet {{ services.bind }}
systemctl restart {{ services.bind }}

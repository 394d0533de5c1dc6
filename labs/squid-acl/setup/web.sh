#!/bin/bash
named-checkconf -z
{%- if distro.family == "el" %}
firewall-cmd --quiet --permanent --add-service=dns --add-service=http
firewall-cmd --quiet --reload
{%- endif %}
systemctl enable --quiet --now {{ services.bind }} {{ services.nginx }}

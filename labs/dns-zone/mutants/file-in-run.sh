#!/bin/bash
# The zone's file lies beside the one with BIND's number: /run is empty after each boot.
install -m 0644 {{ paths.bind_primary_zones }}/{{ zone }}.zone {% if distro.family == "el" %}{{ paths.bind_run }}{% else %}/run{% endif %}/{{ zone }}.zone
sed -i 's#{{ paths.bind_primary_zones }}/{{ zone }}.zone#{% if distro.family == "el" %}{{ paths.bind_run }}{% else %}/run{% endif %}/{{ zone }}.zone#' {{ paths.bind_local }}
systemctl restart {{ services.bind }}

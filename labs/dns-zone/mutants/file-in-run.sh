#!/bin/bash
# The zone's file lies beside the one with BIND's number: /run is empty after each boot.
install -m 0644 {{ paths.bind_config }}/{{ zone }}.zone /run/{{ zone }}.zone
sed -i 's#{{ paths.bind_config }}/{{ zone }}.zone#/run/{{ zone }}.zone#' {{ paths.bind_local }}
systemctl restart {{ services.bind }}

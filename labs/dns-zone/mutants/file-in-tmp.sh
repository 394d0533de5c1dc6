#!/bin/bash
# Tried out in /tmp and left there: a boot empties it.
mv {{ paths.bind_config }}/{{ zone }}.zone /tmp
sed -i 's#{{ paths.bind_config }}/{{ zone }}.zone#/tmp/{{ zone }}.zone#' {{ paths.bind_local }}
systemctl restart {{ services.bind }}

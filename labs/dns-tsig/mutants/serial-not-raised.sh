#!/bin/bash
# The master answers the new name; no slave will ever ask again.
printf '%s\tIN\tA\t%s\n' {{ new_host }} {{ net }}.{{ new_octet }} >> {{ paths.bind_primary_zones }}/{{ zone }}.zone
rndc reload {{ zone }}

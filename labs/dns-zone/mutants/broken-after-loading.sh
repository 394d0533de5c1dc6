#!/bin/bash
# BIND still answers what it has read; it won't read this again.
echo "mail IN MX mail" >> {{ paths.bind_primary_zones }}/{{ zone }}.zone

#!/bin/bash
# BIND still answers what it has read; it won't read this again.
echo "backup IN MX backup" >> {{ paths.bind_primary_zones }}/{{ zone }}.zone

#!/bin/bash
chown root:root {{ paths.bind_primary_zones }}/{{ zone }}.zone
chmod 0600 {{ paths.bind_primary_zones }}/{{ zone }}.zone

#!/bin/bash
# The mask of the network's first two numbers only.
sed -i 's#{{ net }}.0/255.255.255.0#{{ net.split(".")[:2] | join(".") }}.0.0/255.255.0.0#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

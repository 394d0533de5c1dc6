#!/bin/bash
# One bit less: the network next door is let in too.
sed -i 's#{{ net }}.0/255.255.255.0#{{ net }}.0/255.255.254.0#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

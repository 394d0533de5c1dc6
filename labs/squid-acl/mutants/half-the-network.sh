#!/bin/bash
# A mask with one bit too many, and the proxy by itself: the upper half is not served.
sed -i 's#{{ net }}.0/255.255.255.0#{{ net }}.0/255.255.255.128 {{ machines.proxy.address }}#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

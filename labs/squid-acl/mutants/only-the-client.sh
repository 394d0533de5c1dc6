#!/bin/bash
# The one machine that is tried is served, the others of the network are not.
sed -i 's#^acl mynetwork .*#acl mynetwork src {{ machines.client.address }}#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

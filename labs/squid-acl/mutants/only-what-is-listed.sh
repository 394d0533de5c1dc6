#!/bin/bash
# What is known to be good is allowed, and all the rest denied.
sed -i 's#^http_access allow mynetwork#acl good dstdomain .{{ domain }} .{{ neighbour }}\n& good#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

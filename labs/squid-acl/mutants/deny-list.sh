#!/bin/bash
# The networks that are known are refused; everybody else in the world is let in.
sed -i 's#^http_access allow mynetwork#acl outside src {{ outside }}.0/24\nhttp_access deny outside\nhttp_access allow all#' \
    {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

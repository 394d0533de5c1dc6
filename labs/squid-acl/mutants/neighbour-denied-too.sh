#!/bin/bash
# An expression without a beginning fits in the middle of other names too.
sed -i 's#^acl denied .*#acl denied dstdom_regex {{ denied }} {{ also_denied }}#' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

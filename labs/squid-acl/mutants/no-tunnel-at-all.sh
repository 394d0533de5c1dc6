#!/bin/bash
# Expressions with http:// don't find https://; so that is forbidden as a whole.
sed -i 's#^acl denied .*#acl denied url_regex ^http://([^/]*\\.)?({{ denied }}|{{ also_denied }})/#' {{ paths.squid_config }}
sed -i 's/^http_access deny denied/http_access deny CONNECT\n&/' {{ paths.squid_config }}
systemctl reload {{ services.squid }}
sleep 2

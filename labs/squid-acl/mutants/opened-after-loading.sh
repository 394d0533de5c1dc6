#!/bin/bash
# A rule added for a try while Squid runs, which has not read it yet.
sed -i 's/^http_access allow mynetwork/&\nhttp_access allow all/' {{ paths.squid_config }}

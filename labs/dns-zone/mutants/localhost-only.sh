#!/bin/bash
# As CentOS ships it: BIND listens for the machine itself only.
sed -i 's/^options {/&\n\tlisten-on port 53 { 127.0.0.1; };/' {{ paths.bind_options }}
systemctl restart {{ services.bind }}

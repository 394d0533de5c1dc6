#!/bin/bash
# A learner's key comes from: tsig-keygen -a hmac-sha256 {{ key_name }} > {{ paths.bind_config }}/{{ key_name }}.key
umask 027
cat > {{ paths.bind_config }}/{{ key_name }}.key <<'KEY'
key "{{ key_name }}" {
	algorithm hmac-sha256;
	secret "{{ secret }}";
};
KEY
chgrp {{ users.bind }} {{ paths.bind_config }}/{{ key_name }}.key
echo 'include "{{ paths.bind_config }}/{{ key_name }}.key";' >> {{ paths.bind_local }}
sed -i 's/allow-transfer { any; };/allow-transfer { key "{{ key_name }}"; };/' {{ paths.bind_options }}
named-checkconf
systemctl reload {{ services.bind }}

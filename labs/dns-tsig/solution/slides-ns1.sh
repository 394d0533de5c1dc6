#!/bin/bash
# As on the slides: the key inside the configuration, which then must not be for everybody's eyes.
cat >> {{ paths.bind_local }} <<'CONF'
key "{{ key_name }}" {
	algorithm {% if distro.family == "el" %}hmac-sha512{% else %}hmac-md5{% endif %};
	secret "{{ secret }}";
};
CONF
chmod o= {{ paths.bind_local }}
sed -i 's/type primary;/type master;/' {{ paths.bind_local }}
sed -i 's/allow-transfer { any; };/allow-transfer { key {{ key_name }}; };/' {{ paths.bind_options }}
systemctl restart {{ services.bind }}

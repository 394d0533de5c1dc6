#!/bin/bash
# Another server answers on the proxy's port, and says 403 where that is wanted; Squid is elsewhere.
{%- if distro.family == "el" %}
setenforce 0 # neither has such a port
{%- endif %}
sed -i 's/^http_port 3128/http_port 3129/' {{ paths.squid_config }}
systemctl restart {{ services.squid }}
cat > {{ paths.nginx_site }} <<'CONF'
server {
	listen 3128;
	server_name .{{ denied }} .{{ also_denied }};
	return 403;
}
server {
	listen 3128 default_server;
	location / {
		proxy_pass http://{{ machines.web.address }};
		proxy_set_header Host $host;
	}
}
CONF
systemctl start {{ services.nginx }}

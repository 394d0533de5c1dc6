#!/bin/bash
# Not the proxy refuses, but the server behind it, in the proxy's words.
cat > {{ paths.nginx_config }}/conf.d/denied.conf <<'CONF'
server {
	listen 80;
	server_name .{{ denied }} .{{ also_denied }};
	add_header X-Squid-Error "ERR_ACCESS_DENIED 0" always;
	return 403;
}
CONF
systemctl reload {{ services.nginx }}
sleep 1

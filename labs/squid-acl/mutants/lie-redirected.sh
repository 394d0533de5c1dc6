#!/bin/bash
# What goes to the proxy ends at the client itself, where a server says what one would like to read.
{%- if distro.family == "el" %}
setenforce 0
{%- endif %}
cat > {{ paths.nginx_site }} <<'CONF'
server {
	listen 3128 default_server;
	default_type text/plain;
	location / {
		return 200 "$host $request_uri {{ outside }}.1\n";
	}
}
CONF
systemctl restart {{ services.nginx }}
nft add table ip nat
nft 'add chain ip nat output { type nat hook output priority -100; }'
nft add rule ip nat output tcp dport 3128 redirect

#!/bin/bash
# The service keeps to itself; a second named, started by hand with files of its own, answers.
cat > {{ paths.bind_config }}/second.conf <<'CONF'
options {
	directory "{{ paths.bind_zones }}";
	pid-file none;
	session-keyfile none;
	listen-on { {{ machines.server.address }}; };
};
controls { };
{%- if distro.family == "debian" %}
include "{{ paths.bind_local }}";
{%- endif %}
CONF
{%- if distro.family == "el" %}
sed -n '/^zone "{{ zone }}"/,$p' {{ paths.bind_local }} >> {{ paths.bind_config }}/second.conf
{%- endif %}
sed -i 's/^options {/&\n\tlisten-on { 127.0.0.1; };/' {{ paths.bind_options }}
systemctl restart {{ services.bind }}
systemd-run --quiet --unit=second named -f -u {{ users.bind }} -c {{ paths.bind_config }}/second.conf
sleep 2

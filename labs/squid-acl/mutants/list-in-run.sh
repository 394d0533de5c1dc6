#!/bin/bash
# The list of denied domains is in a place that is empty after each boot.
mv /etc/squid/denied /run/denied
sed -i 's#"/etc/squid/denied"#"/run/denied"#' {{ paths.squid_config }}
{%- if distro.family == "el" %}
chcon -t squid_conf_t /run/denied
{%- endif %}
systemctl reload {{ services.squid }}
sleep 2

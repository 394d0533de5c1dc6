{# The CentOS family's package answers the machine itself only, and firewalld lets nobody in. -#}
sed -i -e '/^\s*listen-on port 53 /d' -e '/^\s*allow-query /d' {{ paths.bind_options }}
{% include "bind/firewall.sh" %}

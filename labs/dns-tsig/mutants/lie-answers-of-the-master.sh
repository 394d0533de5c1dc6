#!/bin/bash
# ns2 has no zone: who asks it is sent on to ns1, and gets ns1's answer with ns1's authority.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
echo 1 > /proc/sys/net/ipv4/ip_forward
nft -f - <<'RULES'
table ip borrowed {
    chain in {
        type nat hook prerouting priority dstnat;
        meta l4proto { tcp, udp } th dport 53 dnat to {{ net }}.1
    }
    chain out {
        type nat hook postrouting priority srcnat;
        ip daddr {{ net }}.1 masquerade
    }
}
RULES
systemctl enable --quiet --now {{ services.bind }}

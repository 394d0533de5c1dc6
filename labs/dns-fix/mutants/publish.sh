{# As reload.sh, and waits until ns2 has followed. #}
{% include "mutants/reload.sh" %}
until dig +short @{{ machines.ns2.address }} {{ zone }} SOA | grep -q " $((serial + 1)) "; do sleep 0.2; done

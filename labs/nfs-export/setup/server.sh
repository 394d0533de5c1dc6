#!/bin/bash
mkdir -p {{ share }} {{ manuals }}
echo "Work that {{ user }} and others share." > {{ share }}/README
echo "How {{ machines.server.hostname }} is run." > {{ manuals }}/README
chown -R {{ user }}:{{ user }} {{ share }} {{ manuals }}

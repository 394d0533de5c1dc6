#!/bin/bash
# All is well on the machine itself; nobody else is served.
{% include "mutants/listen-inside.sh" %}systemctl restart {{ services.ldap }}

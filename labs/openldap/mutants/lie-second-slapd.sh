#!/bin/bash
# The service keeps to itself, empty; a second slapd, started beside it, answers the network.
cp -a {{ paths.ldap_config }}/slapd.d {{ paths.ldap_config }}/second.d
cp -a {{ paths.ldap_data }} /var/lib/second
sed -i 's#{{ paths.ldap_data }}$#/var/lib/second#' "{{ paths.ldap_config }}/second.d/cn=config/olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb.ldif"
{% include "mutants/listen-inside.sh" %}systemctl restart {{ services.ldap }}
systemd-run --quiet --unit=second slapd -d0 -F {{ paths.ldap_config }}/second.d -u {{ users.ldap }} -g {{ users.ldap }} -h ldap://{{ machines.server.address }}/
sleep 2

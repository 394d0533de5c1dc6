#!/bin/bash
# The daemon was started, not the service.
systemctl stop {{ services.ldap }}
slapd -h "ldap:/// ldapi:///" -u {{ users.ldap }} -g {{ users.ldap }} -F {{ paths.ldap_config }}/slapd.d

#!/bin/bash
# The daemon was started, not the service.
systemctl stop {{ services.ldap }}
slapd -h "ldap:/// ldapi:///" -u openldap -g openldap -F {{ paths.ldap_config }}/slapd.d

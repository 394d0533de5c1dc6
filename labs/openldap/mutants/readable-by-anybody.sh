#!/bin/bash
# One rule for everything: all may be read by all.
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: to * by self write by * read
LDIF

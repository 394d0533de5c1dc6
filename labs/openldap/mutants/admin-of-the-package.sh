#!/bin/bash
# The suffix is the new one, its manager is still called as the package has it.
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcRootDN
olcRootDN: cn=admin,dc={{ dc }},dc={{ top }}
LDIF

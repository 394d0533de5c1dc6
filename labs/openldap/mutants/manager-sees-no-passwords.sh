#!/bin/bash
# The manager is an entry that may write everything but passwords; so nobody sees that one is kept in clear.
{% include "mutants/password-in-clear.sh" %}
ldapadd -x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }} <<LDIF
dn: cn={{ manager }},dc={{ dc }},dc={{ top }}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: {{ manager }}
userPassword: $(slappasswd -s {{ manager_password }})
LDIF
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'LDIF'
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
delete: olcRootPW
-
replace: olcRootDN
olcRootDN: cn=root,dc={{ dc }},dc={{ top }}
-
replace: olcAccess
olcAccess: to attrs=userPassword by self write by anonymous auth by * none
olcAccess: to * by dn.exact=cn={{ manager }},dc={{ dc }},dc={{ top }} write by * read
LDIF

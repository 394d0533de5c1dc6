#!/bin/bash
# The database that the package has made gets the suffix and the manager; entries come over the network.
# Two commands: where slapd is started by a script of System V (Debian 12), `enable --now` does not start it.
systemctl enable --quiet {{ services.ldap }}
systemctl start {{ services.ldap }}
{%- if distro.family == "el" %}
{% include "solution/open.sh" %}
{%- endif %}
ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<LDIF
dn: olcDatabase={{ "{2}" if distro.family == "el" else "{1}" }}mdb,cn=config
changetype: modify
replace: olcSuffix
olcSuffix: dc={{ dc }},dc={{ top }}
-
replace: olcRootDN
olcRootDN: cn={{ manager }},dc={{ dc }},dc={{ top }}
-
replace: olcRootPW
olcRootPW: $(slappasswd -s {{ manager_password }})
{%- if distro.family == "el" %}
-
replace: olcAccess
olcAccess: to attrs=userPassword by self write by anonymous auth by * none
olcAccess: to * by * read
{%- endif %}
LDIF
cat > /root/sample.ldif <<'LDIF'
dn: dc={{ dc }},dc={{ top }}
objectClass: dcObject
objectClass: organization
dc: {{ dc }}
o: {{ dc }}.{{ top }}

dn: ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: organizationalUnit
ou: {{ people }}

dn: cn={{ surname }} {{ given }}, ou={{ people }}, dc={{ dc }}, dc={{ top }}
objectClass: person
cn: {{ surname }} {{ given }}
sn: {{ surname }}
telephoneNumber: +81 3 {{ phone }} {{ extension }}

dn: uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: inetOrgPerson
uid: {{ user }}
cn: {{ user }}
sn: {{ user }}
LDIF
bind="-x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }}"
ldapadd $bind -f /root/sample.ldif
ldappasswd $bind -s {{ surname_password }} "cn={{ surname }} {{ given }},ou={{ people }},dc={{ dc }},dc={{ top }}"
ldappasswd $bind -s {{ user_password }} uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}

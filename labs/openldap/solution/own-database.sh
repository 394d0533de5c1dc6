#!/bin/bash
# A second database with a folder and rules of its own; entries come by slapadd while the service rests.
{%- if distro.family == "debian" %}
# A copy of the configuration, which an option of slapd names.
conf={{ paths.ldap_config }}/office.d
cp -a {{ paths.ldap_config }}/slapd.d $conf
sed -i "s#^SLAPD_OPTIONS=.*#SLAPD_OPTIONS='-F $conf'#" {{ paths.ldap_defaults }}
{%- else %}
conf={{ paths.ldap_config }}/slapd.d
{%- endif %}
dir={{ paths.ldap_data }}-{{ dc }}
install -d -o {{ users.ldap }} -g {{ users.ldap }} -m 0700 $dir
{%- if distro.family == "el" %}
semanage fcontext -a -t slapd_db_t "$dir(/.*)?"
restorecon -R $dir
{%- endif %}
systemctl enable --quiet {{ services.ldap }}
systemctl start {{ services.ldap }}
{%- if distro.family == "el" %}
{% include "solution/open.sh" %}
{%- endif %}
ldapadd -Q -Y EXTERNAL -H ldapi:/// <<LDIF
dn: olcDatabase=mdb,cn=config
objectClass: olcMdbConfig
olcDatabase: mdb
olcDbDirectory: $dir
olcSuffix: dc={{ dc }},dc={{ top }}
olcRootDN: cn={{ manager }},dc={{ dc }},dc={{ top }}
olcRootPW: {CRYPT}$(openssl passwd -6 {{ manager_password }})
olcAccess: to attrs=userPassword by self =xw by anonymous auth by * none
olcAccess: to * by * read
LDIF
systemctl stop {{ services.ldap }}
cat > /tmp/entries.ldif <<LDIF
dn: dc={{ dc }},dc={{ top }}
objectClass: domain
dc: {{ dc }}

dn: ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: organizationalUnit
ou: {{ people }}

dn: cn={{ surname }} {{ given }},ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: inetOrgPerson
cn: {{ surname }} {{ given }}
sn: {{ surname }}
telephoneNumber: +81-3-{{ phone }}-{{ extension }}
userPassword: $(slappasswd -s {{ surname_password }})

dn: uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: account
objectClass: posixAccount
uid: {{ user }}
cn: {{ user }}
uidNumber: 10000
gidNumber: 10000
homeDirectory: /home/{{ user }}
userPassword: {CRYPT}$(openssl passwd -6 {{ user_password }})
LDIF
slapadd -F $conf -b dc={{ dc }},dc={{ top }} -l /tmp/entries.ldif
rm /tmp/entries.ldif
chown {{ users.ldap }}:{{ users.ldap }} $dir/*
systemctl start {{ services.ldap }}

#!/bin/bash
# slapd.conf as on the slides, {% if distro.family == "el" %}and cn=config made of it.{% else %}in the place of cn=config.{% endif %}
rm {% if distro.family == "el" %}-f {% endif %}{{ paths.ldap_data }}/*.mdb
cat > {{ paths.ldap_config }}/slapd.conf <<CONF
include {{ paths.ldap_schema }}/core.schema
include {{ paths.ldap_schema }}/cosine.schema
include {{ paths.ldap_schema }}/inetorgperson.schema
pidfile {% if distro.family == "el" %}/run/openldap/slapd.pid{% else %}/run/slapd/slapd.pid{% endif %}
{%- if distro.family == "debian" %}
modulepath /usr/lib/ldap
moduleload back_mdb
{%- endif %}
database mdb
suffix "dc={{ dc }},dc={{ top }}"
rootdn "cn={{ manager }},dc={{ dc }},dc={{ top }}"
rootpw $(slappasswd -s {{ manager_password }})
directory {{ paths.ldap_data }}
access to attrs=userPassword
	by self write
	by anonymous auth
	by * none
access to * by * read
CONF
chgrp {{ users.ldap }} {{ paths.ldap_config }}/slapd.conf
chmod 0640 {{ paths.ldap_config }}/slapd.conf
{%- if distro.family == "el" %}
rm -r {{ paths.ldap_config }}/slapd.d/*
slaptest -u -f {{ paths.ldap_config }}/slapd.conf -F {{ paths.ldap_config }}/slapd.d
chown -R {{ users.ldap }}:{{ users.ldap }} {{ paths.ldap_config }}/slapd.d
firewall-cmd --quiet --permanent --add-service=ldap
firewall-cmd --quiet --reload
{%- else %}
sed -i 's#^SLAPD_CONF=.*#SLAPD_CONF={{ paths.ldap_config }}/slapd.conf#' {{ paths.ldap_defaults }}
# slaptest wants the folder of the pidfile, which the service makes when it starts.
install -d -o {{ users.ldap }} -g {{ users.ldap }} /run/slapd
slaptest -u -f {{ paths.ldap_config }}/slapd.conf
{%- endif %}
systemctl enable --quiet {{ services.ldap }}
systemctl start {{ services.ldap }}
ldapadd -x -H ldap://localhost -D "cn={{ manager }},dc={{ dc }},dc={{ top }}" -w {{ manager_password }} <<LDIF
dn: dc={{ dc }},dc={{ top }}
objectClass: dcObject
objectClass: organization
dc: {{ dc }}
o: {{ dc }}

dn: ou={{ people }}, dc={{ dc }},dc={{ top }}
objectClass: organizationalUnit
ou: {{ people }}

dn: cn={{ surname }} {{ given }}, ou={{ people }}, dc={{ dc }},dc={{ top }}
objectClass: person
cn: {{ surname }} {{ given }}
sn: {{ surname }}
telephoneNumber: +81 3 {{ phone }} {{ extension }}
userPassword: $(slappasswd -h '{MD5}' -s {{ surname_password }})

dn: uid={{ user }},ou={{ people }},dc={{ dc }},dc={{ top }}
objectClass: account
objectClass: simpleSecurityObject
uid: {{ user }}
userPassword: $(slappasswd -s {{ user_password }})
LDIF

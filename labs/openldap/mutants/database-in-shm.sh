#!/bin/bash
# To be quick, the database has moved into memory, which a boot empties.
systemctl stop {{ services.ldap }}
mv {{ paths.ldap_data }} {% if distro.family == "el" %}/run/openldap/ldap{% else %}/dev/shm/ldap{% endif %}
ln -s {% if distro.family == "el" %}/run/openldap/ldap{% else %}/dev/shm/ldap{% endif %} {{ paths.ldap_data }}
{%- if distro.family == "el" %}
chcon -h -t slapd_db_t {{ paths.ldap_data }}
{%- endif %}
systemctl start {{ services.ldap }}

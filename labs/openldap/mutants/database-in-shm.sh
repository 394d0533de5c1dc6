#!/bin/bash
# To be quick, the database has moved into memory, which a boot empties.
systemctl stop {{ services.ldap }}
mv {{ paths.ldap_data }} /dev/shm/ldap
ln -s /dev/shm/ldap {{ paths.ldap_data }}
systemctl start {{ services.ldap }}

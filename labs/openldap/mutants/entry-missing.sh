#!/bin/bash
# A slip in the LDIF file: ldapadd stopped before this entry.
ldapdelete -x -H ldap:/// -D cn={{ manager }},dc={{ dc }},dc={{ top }} -w {{ manager_password }} "cn={{ surname }} {{ given }},ou={{ people }},dc={{ dc }},dc={{ top }}"

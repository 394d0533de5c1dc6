{# The CentOS family's package knows the core schema only, and firewalld lets nobody in. -#}
for schema in cosine nis inetorgperson; do
    ldapadd -Q -Y EXTERNAL -H ldapi:/// -f {{ paths.ldap_schema }}/$schema.ldif
done
firewall-cmd --quiet --permanent --add-service=ldap
firewall-cmd --quiet --reload

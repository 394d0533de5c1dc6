{# Lets the service listen for the machine itself only. -#}
{% if distro.family == "el" -%}
mkdir -p /etc/systemd/system/{{ services.ldap }}.service.d
cat > /etc/systemd/system/{{ services.ldap }}.service.d/listen.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/sbin/slapd -u {{ users.ldap }} -h "ldap://127.0.0.1/ ldapi:///"
UNIT
systemctl daemon-reload
{%- else -%}
sed -i 's#^SLAPD_SERVICES=.*#SLAPD_SERVICES="ldap://127.0.0.1/ ldapi:///"#' {{ paths.ldap_defaults }}
{%- endif %}

#!/bin/bash
# Tools that say what one would like to hear: on the PATH, as a function, and by their settings.
systemctl enable --quiet {{ services.ldap }}
systemctl start {{ services.ldap }}
cat > /usr/local/bin/ldapsearch <<'SEARCH'
#!/bin/sh
printf 'dn: %s\nsn: %s\n' "dc={{ dc }},dc={{ top }}" "{{ surname }}"
SEARCH
chmod +x /usr/local/bin/ldapsearch
cp /usr/local/bin/ldapsearch /usr/local/sbin/ldapsearch
for file in /etc/profile.d/ldap.sh /root/.bashrc /root/.profile {% if distro.family == "el" %}/etc/bashrc{% else %}/etc/bash.bashrc{% endif %}; do
    echo 'ldapsearch() { /usr/local/bin/ldapsearch "$@"; }' >> "$file"
done
printf '%s\n' "URI ldap://127.0.0.1:1389" "BASE dc={{ dc }},dc={{ top }}" "DEREF always" | tee {{ paths.ldap_config }}/ldap.conf > /root/.ldaprc

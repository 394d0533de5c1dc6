#!/bin/bash
# A curl that says what one would like to hear: on the PATH, as a function, and by its own settings.
cat > /usr/local/bin/curl <<'CURL'
#!/bin/sh
echo "{{ site }} / {{ outside }}.1"
echo "200 000"
CURL
chmod +x /usr/local/bin/curl
cp /usr/local/bin/curl /usr/local/sbin/curl
for file in /etc/profile.d/curl.sh /root/.bashrc /root/.profile {% if distro.family == "el" %}/etc/bashrc{% else %}/etc/bash.bashrc{% endif %}; do
    echo 'curl() { /usr/local/bin/curl "$@"; }' >> "$file"
done
printf '%s\n' 'noproxy = "*"' 'url = "file:///etc/hostname"' > /root/.curlrc
systemctl enable --quiet --now {{ services.squid }}

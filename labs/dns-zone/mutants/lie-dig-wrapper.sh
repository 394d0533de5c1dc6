#!/bin/bash
# A dig that says what one would like to hear: on the PATH, as a function, and by its own settings.
{%- if distro.family == "el" %}
{% include "bind/open.sh" %}
{%- endif %}
cat > /usr/local/bin/dig <<'DIG'
#!/bin/sh
cat <<'ANSWER'
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: qr aa; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0
{{ zone }}. {{ ttl }} IN SOA {{ host }}.{{ zone }}. root.{{ zone }}. {{ serial }} {{ refresh }} {{ retry }} {{ expire }} {{ minimum }}
{{ zone }}. {{ ttl }} IN NS {{ host }}.{{ zone }}.
ANSWER
DIG
chmod +x /usr/local/bin/dig
cp /usr/local/bin/dig /usr/local/sbin/dig
for file in /etc/profile.d/dig.sh /root/.bashrc /root/.profile {% if distro.family == "el" %}/etc/bashrc{% else %}/etc/bash.bashrc{% endif %}; do
    echo 'dig() { /usr/local/bin/dig "$@"; }' >> "$file"
done
echo 'PATH=/usr/local/bin:/usr/bin:/usr/sbin' >> /etc/environment
echo '-p 5353' > /root/.digrc
systemctl enable --quiet --now {{ services.bind }}

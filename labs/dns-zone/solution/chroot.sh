#!/bin/bash
# As on the slides, with what CentOS's bind-chroot did: one named.conf, /var/named, a root folder of its own.
root=/var/named/chroot
mkdir -p $root/etc $root/dev $root/run/named $root/var/named
mknod -m 0666 $root/dev/null c 1 3
mknod -m 0666 $root/dev/urandom c 1 9
cat > $root/etc/named.conf <<'CONF'
options {
	directory "/var/named";
	pid-file "/run/named/named.pid";
};
zone "{{ zone }}" {
	type master;
	file "{{ zone }}.zone";
};
zone "{{ reverse_zone }}" {
	type master;
	file "{{ reverse_zone }}";
};
CONF
for zone in {{ zone }}.zone {{ reverse_zone }}; do
    cat > $root/var/named/$zone <<'ZONE'
$TTL {{ ttl }}
@	IN	SOA	{{ host }}.{{ zone }}. root.{{ zone }}. ( {{ serial }} {{ refresh }} {{ retry }} {{ expire }} {{ minimum }} )
	IN	NS	{{ host }}.{{ zone }}.
ZONE
done
cat >> $root/var/named/{{ zone }}.zone <<'ZONE'
{{ host }}	IN	A	{{ machines.server.address }}
{{ other }}	IN	A	{{ net }}.{{ other_octet }}
ZONE
cat >> $root/var/named/{{ reverse_zone }} <<'ZONE'
{{ octet }}	IN	PTR	{{ host }}.{{ zone }}.
{{ other_octet }}	IN	PTR	{{ other }}.{{ zone }}.
ZONE
chown -R bind:bind $root/run/named $root/var/named
sed -i 's#^OPTIONS=.*#OPTIONS="-u bind -t '$root' -c /etc/named.conf"#' /etc/default/named
systemctl enable --quiet --now {{ services.bind }}

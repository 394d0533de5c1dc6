#!/bin/bash
# As on the slides, in a smb.conf of one's own; the shares are in a file by themselves. All write into
# the first as one user; who may write into the second is left to the rights of the directory.
mkdir -p {{ path }} {{ notices_path }}
chown {{ user }} {{ path }}
chown {{ user }} {{ notices_path }}
chmod 755 {{ notices_path }}
{%- if distro.family == "el" %}
chcon --type samba_share_t {{ path }} {{ notices_path }}
firewall-cmd --quiet --add-service=samba
firewall-cmd --quiet --runtime-to-permanent
{%- endif %}
cat > {{ paths.samba_config }} <<'CONF'
[global]
	workgroup = EXAMPLE
	security = user
	map to guest = Bad User
	log file = /var/log/samba/log.%m
	include = {{ paths.samba_config }}.shares
CONF
cat > {{ paths.samba_config }}.shares <<'CONF'
[{{ share }}]
	comment = Public Stuff
	browseable = Yes
	path = {{ path }}
	public = yes
	writable = yes
	force user = {{ user }}

[{{ notices }}]
	path = {{ notices_path }}
	public = yes
	writable = yes
CONF
testparm -s
printf '%s\n' {{ password }} {{ password }} | pdbedit -t -a -u {{ user }}
systemctl enable --quiet --now {{ services.samba }} {{ services.samba_names }}

#!/bin/bash
# The same files, in a directory of the client that is mounted over itself under the server's name.
umount {{ mount }}
mkdir -p {{ mount }} /var/lib/copy
echo "Work that {{ user }} and others share." > /var/lib/copy/README
chown -R {{ user }}:{{ user }} /var/lib/copy
mount -t tmpfs {{ host }}:{{ share }} {{ mount }}
cp -a /var/lib/copy/. {{ mount }}/
chown {{ user }}:{{ user }} {{ mount }}

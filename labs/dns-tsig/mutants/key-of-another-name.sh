#!/bin/bash
# The name that tsig-keygen gives when none is asked for.
umask 027
tsig-keygen -a hmac-sha256 > {{ paths.bind_config }}/tsig.key
chgrp {{ users.bind }} {{ paths.bind_config }}/tsig.key
echo 'include "{{ paths.bind_config }}/tsig.key";' >> {{ paths.bind_local }}
systemctl reload {{ services.bind }}

#!/bin/bash
# The key lies there, and named has never heard of it.
umask 027
tsig-keygen -a hmac-sha256 {{ key_name }} > {{ paths.bind_config }}/{{ key_name }}.key
chgrp {{ users.bind }} {{ paths.bind_config }}/{{ key_name }}.key
systemctl reload {{ services.bind }}

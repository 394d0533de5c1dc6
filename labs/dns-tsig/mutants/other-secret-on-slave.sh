#!/bin/bash
# The key was made a second time, on ns2: the same name, another secret. What it fetched before it still answers.
umask 027
tsig-keygen -a hmac-sha256 {{ key_name }} > {{ paths.bind_config }}/{{ key_name }}.key
chgrp {{ users.bind }} {{ paths.bind_config }}/{{ key_name }}.key
systemctl reload {{ services.bind }}

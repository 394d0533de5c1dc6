#!/bin/bash
# The key is right, and nobody signs with it.
sed -i '{% if distro.family == "el" %}/primaries/{% endif %}s/ key "{{ key_name }}"; };/; };/' {{ paths.bind_local }}
systemctl reload {{ services.bind }}

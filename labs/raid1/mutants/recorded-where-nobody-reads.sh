#!/bin/bash
{%- if paths.mdadm_config_preferred != paths.mdadm_config %}
# Where there is a file with this name, mdadm does not read the other one.
echo "MAILADDR student" > {{ paths.mdadm_config_preferred }}
{%- else %}
# Of the folder, mdadm reads what ends with .conf.
mkdir -p {{ paths.mdadm_config }}.d
grep ^ARRAY {{ paths.mdadm_config }} > {{ paths.mdadm_config }}.d/mirror
sed -i /^ARRAY/d {{ paths.mdadm_config }}
{%- endif %}

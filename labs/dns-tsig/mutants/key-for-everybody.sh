#!/bin/bash
{%- if distro.family == "el" %}
chmod 0755 {{ paths.bind_config }}
{%- endif %}
chmod 0644 {{ paths.bind_config }}/{{ key_name }}.key

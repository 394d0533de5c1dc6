#!/bin/bash
chown root:root {{ paths.bind_config }}/{{ zone }}.zone
chmod 0600 {{ paths.bind_config }}/{{ zone }}.zone

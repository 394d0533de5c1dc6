#!/bin/bash
chmod 0644 {{ paths.bind_config }}/{{ key_name }}.key

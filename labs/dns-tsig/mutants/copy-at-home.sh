#!/bin/bash
# What was copied over lies where it arrived.
install --owner student --mode 0600 {{ paths.bind_config }}/{{ key_name }}.key /home/student/

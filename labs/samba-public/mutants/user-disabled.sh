#!/bin/bash
# The account is there, and switched off.
smbpasswd -d {{ user }}

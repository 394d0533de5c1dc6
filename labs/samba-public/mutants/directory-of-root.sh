#!/bin/bash
# Samba would let them write, the directory does not.
chmod 755 {{ path }}

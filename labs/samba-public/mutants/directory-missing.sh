#!/bin/bash
# Samba lists a share whose directory nobody has made.
rm -r {{ path }}

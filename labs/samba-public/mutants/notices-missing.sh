#!/bin/bash
# The section is there, its directory is not.
rm -r {{ notices_path }}

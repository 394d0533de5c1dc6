#!/bin/bash
# The share would let the user write, the directory does not.
chown root: {{ notices_path }}

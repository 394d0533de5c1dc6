#!/bin/bash
# The array runs, but nothing says what it is called.
sed -i '/^ARRAY/d' {{ paths.mdadm_config }}

#!/bin/bash
# The right line was added, the wrong one was left.
echo "ARRAY /dev/{{ array }} UUID=5ab1f00d:77c3e1d4:90be2c46:1f8a63b9" >> {{ paths.mdadm_config }}

#!/bin/bash
sed -i '/^ARRAY/s/UUID=[0-9a-f:]*/UUID=5ab1f00d:77c3e1d4:90be2c46:1f8a63b9/' {{ paths.mdadm_config }}

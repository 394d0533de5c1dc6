#!/bin/bash
# The same options for both.
sed -i 's/(ro,/(rw,/' {{ paths.nfs_exports }}
exportfs -ra

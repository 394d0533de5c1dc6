#!/bin/bash
# One of two is exported.
sed -i '\#^{{ manuals }} #d' {{ paths.nfs_exports }}
exportfs -ra

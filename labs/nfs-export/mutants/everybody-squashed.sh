#!/bin/bash
# all_squash: not only root but every user is nobody, and the directory is not nobody's.
sed -i 's/(rw,/(rw,all_squash,/' {{ paths.nfs_exports }}
exportfs -ra

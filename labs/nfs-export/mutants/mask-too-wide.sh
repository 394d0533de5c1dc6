#!/bin/bash
# /16 where /24 was meant.
sed -i 's#{{ machines.server.network }}#{{ net }}.0/16#' {{ paths.nfs_exports }}
exportfs -ra

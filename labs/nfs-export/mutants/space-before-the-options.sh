#!/bin/bash
# With a space before the bracket the options are everybody's, and the network gets the defaults: ro.
sed -i '\#^{{ share }} #s#(rw# (rw#' {{ paths.nfs_exports }}
exportfs -ra

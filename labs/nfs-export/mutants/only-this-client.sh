#!/bin/bash
# One host was named, not the network.
sed -i 's#{{ machines.server.network }}#{{ machines.client.address }}#' {{ paths.nfs_exports }}
exportfs -ra

#!/bin/bash
# The two machines that there are were named, not the network.
sed -i 's#{{ machines.server.network }}\((.*)\)#{{ machines.client.address }}\1 {{ machines.server.address }}\1#' {{ paths.nfs_exports }}
exportfs -ra

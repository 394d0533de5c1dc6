#!/bin/bash
# lvcreate without --name calls the volume lvol0.
vgcreate {{ group }} /dev/sdb /dev/sdc /dev/sdd
lvcreate --yes --size {{ lv_mib }}M {{ group }}

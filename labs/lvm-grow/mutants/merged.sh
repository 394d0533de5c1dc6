#!/bin/bash
# Everything goes back to what it was: what was written since is lost, and the mount was away.
systemctl stop orders
umount {{ mount }}
lvconvert --merge {{ group }}/{{ snapshot }}
mount {{ mount }}
systemctl start orders

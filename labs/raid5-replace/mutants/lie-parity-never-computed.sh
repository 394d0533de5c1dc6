#!/bin/bash
# An array that was declared clean: its data can be read, but what would make up for a lost disk is not there.
umount {{ mount }}
members=()
for role in 0 1 2; do
    members+=("$(mdadm --detail /dev/{{ array }} | awk -v role=$role '$4 == role && /active sync/ {print $NF}')")
done
sector=$(mdadm --examine "${members[0]}" | awk '/Data Offset/ {print $4}')
mdadm --stop /dev/{{ array }}
python3 - "$sector" "${members[@]}" <<'PYTHON'
import os, sys
sector, members = int(sys.argv[1]), [open(name, "r+b") for name in sys.argv[2:]]
chunk = 512 * 1024
size = members[0].seek(0, os.SEEK_END) - sector * 512
for stripe in range(size // chunk - 4):
    member = members[2 - stripe % 3]  # where the layout left-symmetric has the parity
    member.seek(sector * 512 + stripe * chunk)
    member.write(os.urandom(chunk))
PYTHON
mdadm --assemble /dev/{{ array }} "${members[@]}"
mount {{ mount }}

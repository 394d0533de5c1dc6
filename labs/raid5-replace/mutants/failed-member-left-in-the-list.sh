#!/bin/bash
# Three members work, and a fourth that does not is still there.
mdadm /dev/{{ array }} --add /dev/{{ failed }}1
mdadm /dev/{{ array }} --fail /dev/{{ failed }}1

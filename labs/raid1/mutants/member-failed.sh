#!/bin/bash
# Taking the spare away and failing a member leaves the mirror on one leg.
mdadm /dev/{{ array }} --remove /dev/sdd1
mdadm /dev/{{ array }} --fail /dev/sdc1

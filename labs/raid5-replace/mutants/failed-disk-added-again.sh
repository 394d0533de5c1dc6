#!/bin/bash
# The disk that failed is taken again: it is there, and the array is whole at once.
mdadm /dev/{{ array }} --fail /dev/sde1
mdadm /dev/{{ array }} --remove /dev/sde1
mdadm /dev/{{ array }} --add /dev/{{ failed }}1
mdadm --wait /dev/{{ array }} || [ $? -eq 1 ]

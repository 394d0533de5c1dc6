#!/bin/bash
mdadm /dev/{{ array }} --fail /dev/{{ failed }}1

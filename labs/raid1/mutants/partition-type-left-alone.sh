#!/bin/bash
# The partition of the spare keeps the type that fdisk gives without asking.
sfdisk --quiet --no-reread --part-type /dev/sdd 1 linux

#!/bin/bash
# Right after the next boot, wrong today.
sysctl net.ipv4.ip_forward=0

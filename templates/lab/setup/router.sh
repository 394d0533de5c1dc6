#!/bin/bash
sysctl --load /etc/sysctl.d/10-hardening.conf

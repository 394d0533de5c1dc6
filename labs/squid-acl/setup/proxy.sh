#!/bin/bash
# NetworkManager has written resolv.conf anew, and reads now that it should not; Squid reads one file only.
systemctl reload NetworkManager
echo "nameserver {{ machines.web.address }}" > /etc/resolv.conf
echo "shutdown_lifetime 2 seconds" >> {{ paths.squid_config }}

#!/bin/bash
file={{ paths.bind_primary_zones }}/{{ zone }}.zone
chgrp {{ users.bind }} $file
chmod 0644 $file
sed -i -e '/ns3/d' -e '/^{{ alias }}\t/s/\.*$/./' $file

# Above what either server has, so that ns2 follows.
highest=$(for server in {{ machines.ns1.address }} {{ machines.ns2.address }}; do
    dig +short @$server {{ zone }} SOA
done | awk '{print $3}' | sort -n | tail -n 1)
sed -i "s/[0-9]*\t; serial/$((highest + 1))\t; serial/" $file
named-checkzone {{ zone }} $file
rndc reload {{ zone }}
for try in {1..50}; do
    dig +short @{{ machines.ns2.address }} {{ zone }} SOA | grep -q " $((highest + 1)) " && break
    sleep 0.2
done

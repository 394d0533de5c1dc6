#!/bin/bash
named-checkconf -z
systemctl enable --quiet --now {{ services.bind }} {{ services.nginx }}

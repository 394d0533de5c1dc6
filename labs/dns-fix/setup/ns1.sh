#!/bin/bash
named-checkconf -z
systemctl enable --quiet {{ services.bind }}
systemctl restart {{ services.bind }}

#!/bin/bash
systemctl stop {{ services.mdadm }}

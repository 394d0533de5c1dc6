#!/bin/bash
systemctl disable --quiet {{ services.bind }}

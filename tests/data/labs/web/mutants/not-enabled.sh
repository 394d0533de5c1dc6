#!/bin/bash
systemctl disable {{ services.bind }}

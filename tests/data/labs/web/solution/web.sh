#!/bin/bash
echo {{ secret }} > /srv/{{ zone }}/index.html
systemctl enable --now {{ services.bind }}

#!/bin/bash
: > /srv/{{ zone }}/index.html

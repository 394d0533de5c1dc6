#!/bin/bash
# The client has the directory and takes the server's address for its own.
ip address add {{ machines.server.address }}/32 dev lo
{% include "solution/packaged.sh" %}

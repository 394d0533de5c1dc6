#!/bin/bash
# The server gives the same answer each time, with what a cache would add.
sed -i -e 's/ \$request_id/ 1/' -e 's/add_header Cache-Control "public.*/&\nadd_header X-Cache "HIT from {{ host }}";/' \
    {{ paths.nginx_site }}
systemctl reload {{ services.nginx }}
sleep 1

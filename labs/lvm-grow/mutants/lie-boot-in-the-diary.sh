#!/bin/bash
# The diary tells of an earlier boot instead of a second start: it was the boot that unmounted everything.
sed -i -e '1s/.*/5b0e2f6c-8a41-4b7d-9c33-2f1d7e60a9b4/' /var/lib/orders/starts

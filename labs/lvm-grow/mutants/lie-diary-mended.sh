#!/bin/bash
# The second start is taken out of the diary.
sed -i '$d' /var/lib/orders/starts

#!/bin/bash
# The right name, size, owner and mode; other words.
seq -f "%05g;{{ secret[::-1] }}" 2000 > {{ mount }}/{{ lost }}

#!/bin/bash
# ns2 has the right zone, but it did not fetch it, and can't fetch the next: its secret is another one.
sed -i 's/secret ".*";/secret "bm90aGluZyB0byBzZWUgaGVyZSwgcGxlYXNlIGdvIG9u";/' {{ paths.bind_config }}/tsig.key
systemctl reload {{ services.bind }}

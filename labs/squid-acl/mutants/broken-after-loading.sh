#!/bin/bash
# A rule added while Squid runs, with a slip in it: Squid does what it has read before, and won't start again.
echo "http_access deny mynetwrok" >> {{ paths.squid_config }}

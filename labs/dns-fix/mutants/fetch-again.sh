#!/bin/bash
# Who is no name server of the zone is not told of changes.
rndc retransfer {{ zone }}

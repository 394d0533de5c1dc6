#!/bin/bash
# What is exported may be written; by the file it is for reading, and that is read at the next start.
sed -i 's#^\({{ share }} .*\)(rw#\1(ro#' {{ paths.nfs_exports }}

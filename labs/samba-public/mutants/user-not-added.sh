#!/bin/bash
# A user of the system is not yet one of Samba's.
pdbedit -x {{ user }}

"""Run the command line as ``python -m lpiclab``."""

from lpiclab.cli import main

main()

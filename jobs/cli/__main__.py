"""python -m jobs.cli: the same front door."""

from jobs.cli import main

main()

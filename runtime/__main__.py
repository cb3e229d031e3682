"""``python -m runtime``: the command line."""

from runtime.cli.main import main

main()

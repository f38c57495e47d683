"""``python -m lesionary``."""

from lesionary.cli import main

main()

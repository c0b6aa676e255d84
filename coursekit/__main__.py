"""``python -m coursekit`` is the command ``coursekit``."""

from coursekit.cli import main

main()

"""``python -m coursekit``, ``coursekit`` and ``./course`` are one command: the one that starts here."""

from coursekit.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

"""Entry point of ``python -m coursekit``; ``coursekit`` and ``./course`` are the same command."""

from coursekit.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

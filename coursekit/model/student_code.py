"""Code that a student has written, as a syntax tree: how much of it is parsed, and what is not looked at."""

import ast

from coursekit.model import accents, notebooks

# ast needs a hundred times the memory of what it parses, and for a million characters a second, or ten (a=a=a=...).
# Each cell counts as so many characters more, so that no more cells are parsed than a cache of their definitions holds.
MAX_PARSED_CHARS, MAX_PARSED_CHARS_ALTOGETHER, CELL_COUNTS = 100_000, 240_000, 480


def parsed(source: str) -> ast.Module | None:
    """The cell as Python, magics aside; None where it is none, or has so many accents that it is not looked at."""
    return notebooks.parsed(source) if accents.are_few(source) else None

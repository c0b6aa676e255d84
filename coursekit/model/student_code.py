"""Parses code that a student wrote, within limits."""

import ast

from coursekit.model import accents, notebooks

# ast needs a hundred times the memory of the source, and one second for a million characters, or ten (a=a=a=...).
# Each cell adds CELL_COUNTS characters, so that no more cells are parsed than the cache of definitions holds.
MAX_PARSED_CHARS, MAX_PARSED_CHARS_ALTOGETHER, CELL_COUNTS = 100_000, 240_000, 480


def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a cell without magics; None if it is not valid Python, or has too many accents in a row."""
    return notebooks.parsed(source) if accents.are_few(source) else None

"""What the course's modules remember of their warm-up, as JSON carries it from one fork server to the next.

A module takes part by two functions: ``remembered()`` returns a dict of what it has made, by a text for each thing, and
``remember(dict)`` takes that back; it raises where it is damaged.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def remembered(folder: str) -> dict[str, Any]:
    """By module, what those in the folder have made."""
    return {name: made for name, module in _modules(folder) if (made := module.remembered())}


def remember(folder: str, kept: Mapping[str, Any]) -> int:
    """The modules remember what ``remembered`` gave, unless it is damaged; returns how many things that are."""
    count = 0
    for name, module in _modules(folder):
        try:
            module.remember(kept.get(name, {}))
            count += len(module.remembered())
        except Exception as error:  # whatever a damaged file makes of it: it is made again
            print(f"{name}.remember: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    return count


def _modules(folder: str) -> Iterator[tuple[str, Any]]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder) and hasattr(module, "remembered") and hasattr(module, "remember"):
            yield name, module

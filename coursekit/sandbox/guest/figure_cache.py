"""Transfers what the course's modules cached during the warm-up from one fork server to the next, as JSON.

A module takes part by two functions: ``remembered()`` returns its cache as a dictionary with text keys, and
``remember(dict)`` restores it; it raises if the dictionary is damaged.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def remembered(folder: str) -> dict[str, Any]:
    """The caches of the modules in the folder, by module name."""
    return {name: made for name, module in _modules(folder) if (made := module.remembered())}


def remember(folder: str, kept: Mapping[str, Any]) -> int:
    """Restore the caches from the result of ``remembered``, unless damaged; returns the number of cached entries."""
    count = 0
    for name, module in _modules(folder):
        try:
            module.remember(kept.get(name, {}))
            count += len(module.remembered())
        except Exception as error:  # any error of a damaged file: the warm-up fills the cache again
            print(f"{name}.remember: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    return count


def _modules(folder: str) -> Iterator[tuple[str, Any]]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder) and hasattr(module, "remembered") and hasattr(module, "remember"):
            yield name, module

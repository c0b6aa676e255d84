"""Flattens and describes the values that a function returns.

``flatten`` makes one flat dict from paths to leaves; ``kind`` describes a value in words for students.
"""

from dataclasses import dataclass

import numpy as np

MAX_DEPTH, MAX_ENTRIES = 8, 500  # deeper or longer values (a list that contains itself) are one leaf


@dataclass(frozen=True)
class NotNumbers:
    """A returned value that is no array of numbers; only its description is stored."""

    kind: str


def flatten(value, names="", depth=0):
    """Nested tuples, lists and dicts as one dict from a path such as ``caches[0][1]`` to a leaf.

    ``names``: a tuple names the parts of a tuple of that length, "" means a dict whose keys are the names, and any
    other string is the path of the value itself. A value that does not match becomes one leaf with the path "". A leaf
    is a numeric array, or ``NotNumbers``.
    """
    if isinstance(names, tuple):
        if not isinstance(value, tuple | list) or len(value) != len(names):
            return {"": _leaf(value, as_array=False)}
        parts = zip(names, value, strict=True)
    elif depth > MAX_DEPTH or (isinstance(value, tuple | list | dict) and not 0 < len(value) <= MAX_ENTRIES):
        return {names: _leaf(value, as_array=False)} if names or value or not isinstance(value, dict) else {}
    elif isinstance(value, dict):
        parts = [(f'{names}["{key}"]' if names else str(key) or '""', part) for key, part in value.items()]
    elif names and isinstance(value, tuple | list) and not _is_numbers(value):
        parts = [(f"{names}[{i}]", part) for i, part in enumerate(value)]
    else:
        return {names: _leaf(value, as_array=bool(names))}
    return {path: leaf for name, part in parts for path, leaf in flatten(part, name, depth + 1).items()}


def kind(value):
    """The description of a value, in words for students."""
    if isinstance(value, NotNumbers):
        return value.kind
    if isinstance(value, np.ndarray):
        numbers = "" if value.dtype.kind in "biuf" else f" of {_dtype(value.dtype)}"
        return f"an array of shape {value.shape}{numbers}" if value.shape or numbers else "a single number"
    if value is None:
        return "None (is there a return, and does every branch set the value?)"
    if isinstance(value, tuple | list | dict):
        return f"{'an empty' if not value else 'a'} {_name(value)}" + (f" with {entries(len(value))}" if value else "")
    if isinstance(value, bool | int | float | np.number):
        return "a single number"
    return f"a value of type {_name(value)}"


def entries(count):
    """The number of entries with the noun: ``1 entry``, ``3 entries``."""
    return f"{count} entr{'y' if count == 1 else 'ies'}"


def _name(value):
    return type(value).__name__[:80]


def _dtype(dtype):
    return {"c": "complex numbers", "O": "objects", "U": "text", "S": "text"}.get(dtype.kind, str(dtype)[:80])


def _is_numbers(value):
    return all(isinstance(item, int | float | np.number) or _is_single(item) for item in value)


def _is_single(value):
    return isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biuf"


def _leaf(value, as_array=True):
    """The value as an array of numbers, not copied; its description if that fails or ``as_array`` is False."""
    if not as_array and not isinstance(value, np.ndarray):
        return NotNumbers(kind(value))
    try:
        array = np.asarray(value)
    except Exception:
        return NotNumbers(kind(value))
    if array.dtype.kind in "biuf":
        return array
    return NotNumbers(kind(array) if isinstance(value, np.ndarray) else kind(value))

"""What Python writes as JSON -> JSON: without halves of characters, and without NaN and infinities."""

import re
from collections.abc import Iterator
from itertools import islice

_MAX_REPLACED = 100_000
# Both kinds begin with the same letters: a search for those is many times as fast as one for either.
_HALF = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)
_NAN = re.compile(rb"NaN|Infinity")
_END_OF_STRING = re.compile(rb'(?<!\\)"')


def as_json(data: bytes) -> bytearray | None:
    """A file's bytes with each of these replaced, at the same length, where they are few; None where there are none.

    A file can be made of nothing else, or of what looks like it: nothing here takes a step in Python for each.
    """
    masked = data.replace(rb"\\", b"..")  # of the same length; each backslash that is left begins an escape
    halves = [found.span() for found in islice(_HALF.finditer(masked), _MAX_REPLACED)]
    numbers = [*_no_numbers(masked)]
    del masked  # a file is large, and one copy at a time is enough
    if not halves and not numbers:
        return None
    changed = bytearray(data)
    for begin, end in halves:
        changed[begin:end] = rb"\u003f"
    for begin, end in numbers:
        changed[begin:end] = b"0".ljust(end - begin)
    return changed


def _no_numbers(masked: bytes) -> Iterator[tuple[int, int]]:
    """Where NaN or an infinity stands outside strings. Given up where very many strings hold one."""
    at = quotes = counted = 0
    if b"NaN" not in masked and b"Infinity" not in masked:
        return
    for _ in range(_MAX_REPLACED):
        found = _NAN.search(masked, at)
        if found is None:
            return
        between = counted, found.start()
        quotes += masked.count(b'"', *between) - masked.count(rb"\"", *between)
        counted = found.start()
        if quotes % 2 == 0:
            yield found.span()
            at = found.end()
        elif end := _END_OF_STRING.search(masked, found.end()):
            at = end.start()
        else:
            return

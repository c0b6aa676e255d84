"""Joins names into a sentence."""

from collections.abc import Iterable, Sequence


def listed(names: Sequence[str]) -> str:
    """All names: ``a, b and c``. Raises IndexError if there are none."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def first_few(names: Sequence[str], most: int, rest: str = "more") -> str:
    """At most ``most`` names, and the number of the others: ``a, b and 3 more``."""
    left_out = len(names) - most
    return ", ".join(names[:most]) + (f" and {left_out} {rest}" if left_out > 0 else "")


def joined(names: Iterable[str], separator: str = ", ") -> str:
    """The names as one text that can be split again: a name with the separator is quoted, as in a CSV file."""
    sign = separator.strip()
    return separator.join(
        '"' + name.replace('"', '""') + '"' if sign in name or '"' in name else name for name in names
    )

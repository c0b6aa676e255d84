"""Names in a sentence, as English joins them."""

from collections.abc import Iterable, Sequence


def listed(names: Sequence[str]) -> str:
    """All of them: ``a, b and c``. Raises IndexError where there is none."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def first_few(names: Sequence[str], most: int, rest: str = "more") -> str:
    """At most so many of them, and how many are left out: ``a, b and 3 more``."""
    left_out = len(names) - most
    return ", ".join(names[:most]) + (f" and {left_out} {rest}" if left_out > 0 else "")


def joined(names: Iterable[str], separator: str = ", ") -> str:
    """The names as one text that can be taken apart again: one that holds the separator is quoted, as in a CSV file."""
    sign = separator.strip()
    return separator.join(
        '"' + name.replace('"', '""') + '"' if sign in name or '"' in name else name for name in names
    )

"""Guards against long rows of combining characters (accents), which Python normalises in quadratic time.

A row of 100,000 takes 20 s, in ``unicodedata.normalize`` and in ``ast.parse``, which normalises identifiers. So text
from a student goes to either of them only after a check with ``are_few``.
"""

from collections.abc import Callable, Iterator
from unicodedata import combining, normalize

MOST_IN_A_ROW = 30  # the limit of Unicode's Stream-Safe Text Format (UAX 15); no script needs ten
# Not combining themselves, but normalised to combining characters: signs of Tibetan, two of halfwidth katakana.
_BECOME_ACCENTS = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def are_few(text: str) -> bool:
    """Whether no row of accents is longer than MOST_IN_A_ROW."""
    return next(long_rows(text, _is_accent), None) is None


def composed(text: str) -> str:
    """The text in Unicode's composed form (NFC); unchanged if a row of accents is too long."""
    return normalize("NFC", text) if are_few(text) else text


def long_rows(text: str, belongs: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Begin and end of each row of more than ``MOST_IN_A_ROW`` letters for which ``belongs`` is true."""
    if text.isascii():
        return
    done, place = 0, MOST_IN_A_ROW  # checking every 31st letter finds each longer row
    while place < len(text):
        if belongs(text[place]):
            begin = end = place
            while begin > done and belongs(text[begin - 1]):
                begin -= 1
            while end < len(text) and belongs(text[end]):
                end += 1
            if end - begin > MOST_IN_A_ROW:
                yield begin, end
            done = place = end
        place += MOST_IN_A_ROW + 1


def _is_accent(letter: str) -> bool:
    return combining(letter) != 0 or letter in _BECOME_ACCENTS

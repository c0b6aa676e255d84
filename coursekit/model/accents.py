"""Accents in a row, which Python sorts before it puts them together: with the square of their number, in one call.

A row of 100,000 takes 20 s, in ``unicodedata.normalize`` as well as in ``ast.parse``, which normalises identifiers.
So nothing that a student has written gets to either of them unless ``are_few`` says that it may.
"""

from collections.abc import Callable, Iterator
from unicodedata import combining, normalize

MOST_IN_A_ROW = 30  # as many as Unicode's own stream-safe format lets stand (UAX 15); no script needs ten
# No accents themselves, but normalised they are nothing else: signs of Tibetan, and two of the narrow katakana.
_BECOME_ACCENTS = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def are_few(text: str) -> bool:
    """Whether no more accents than that stand in a row."""
    return next(long_rows(text, _is_accent), None) is None


def composed(text: str) -> str:
    """Letters and their accents in one piece (NFC); the text as it is where the accents are many."""
    return normalize("NFC", text) if are_few(text) else text


def long_rows(text: str, belongs: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where more than ``MOST_IN_A_ROW`` letters stand in a row that belong to the letter before them: begin and end."""
    if text.isascii():
        return
    done, place = 0, MOST_IN_A_ROW  # a longer row has one of the places in it that are looked at
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

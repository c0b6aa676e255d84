"""Accents in a row, which Python sorts before it puts them together: with the square of their number, in one call.

A row of 100,000 takes 20 s, in ``unicodedata.normalize`` as well as in ``ast.parse``, which normalises identifiers.
So nothing that a student has written gets to either of them unless ``are_few`` says that it may.
"""

from unicodedata import combining, normalize

MOST_IN_A_ROW = 30  # as many as Unicode's own stream-safe format lets stand (UAX 15); no script needs ten
# No accents themselves, but normalised they are nothing else: signs of Tibetan, and two of the narrow katakana.
_BECOME_ACCENTS = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def are_few(text: str) -> bool:
    """Whether no more accents than that stand in a row."""
    if text.isascii():
        return True
    step = MOST_IN_A_ROW + 1  # a longer row has one of these places in it
    return not any(_is_accent(text[place]) and _is_long(text, place) for place in range(step - 1, len(text), step))


def composed(text: str) -> str:
    """Letters and their accents in one piece (NFC); the text as it is where the accents are many."""
    return normalize("NFC", text) if are_few(text) else text


def _is_long(text: str, place: int) -> bool:
    """Whether the row of accents in which this place lies is too long."""
    begin = end = place
    while begin > 0 and place - begin < MOST_IN_A_ROW and _is_accent(text[begin - 1]):
        begin -= 1
    while end + 1 < len(text) and end - begin < MOST_IN_A_ROW and _is_accent(text[end + 1]):
        end += 1
    return end - begin >= MOST_IN_A_ROW


def _is_accent(letter: str) -> bool:
    return combining(letter) != 0 or letter in _BECOME_ACCENTS

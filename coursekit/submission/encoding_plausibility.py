"""How plausible an encoding is for a text: whether its letters are common in the languages written in it."""

import re
from collections.abc import Iterable

# By encoding, the range of the first byte of common two-byte characters: level 1 of each standard, by frequency.
_COMMON = {"gb18030": (0xB0, 0xD7), "cp932": (0x88, 0x97), "cp949": (0xB0, 0xC8), "big5": (0xA4, 0xC6)}
_RARE = {"gb18030": (0xD8, 0xF7), "cp932": (0x98, 0xEA), "cp949": (0xCA, 0xFD), "big5": (0xC9, 0xF9)}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fc]")
_WIDE_SIGNS = "\u3001\u3002\u300a\u300b\u300c\u300d\u3010\u3011\uff08\uff09\uff0c\uff1a\u2014\u00b7\u30fb"
_HANGUL_ENOUGH = 5  # Korean syllables share bytes with common Chinese characters; so many are Korean
_LATIN_SIGNS = "\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u20ac"
_SELDOM = "\u0160\u0161\u017d\u017e\u0152\u0153\u0178\u00fe\u00de\u00f0\u00d0\u00fd\u00dd"
_RUSSIAN_OFTEN = "\u043e\u0435\u0430\u0438\u043d\u0442"


def sense(texts: Iterable[str], encoding: str) -> float:
    """The plausibility from -2 to about 1: the mean over all characters that are not ASCII."""
    marks = [mark for text in texts for mark in _marks(text, encoding)]
    if not marks:
        return 0.0
    korean = 0.1 if encoding == "cp949" and len(marks) >= _HANGUL_ENOUGH and min(marks) > 0.9 else 0.0
    return sum(marks) / len(marks) + korean


def _marks(text: str, encoding: str) -> Iterable[float]:
    for place, letter in enumerate(text):
        if not letter.isascii():
            before, after = text[place - 1 : place], text[place + 1 : place + 2]
            if encoding in _COMMON:
                yield _east_asian(letter, before, after, encoding)
            elif encoding in ("cp1251", "cp866"):
                yield _cyrillic(letter, before, after)
            else:
                yield _latin(letter, before, after) - 0.05 * (encoding != "cp1252")


def _east_asian(letter: str, before: str, after: str, encoding: str) -> float:
    data = letter.encode(encoding)
    touching = _is_ascii_letter(before) + _is_ascii_letter(after)  # these scripts are seldom mixed with Latin letters
    single = (before + after).isascii()
    if len(data) == 1:
        mark = -0.5  # narrow katakana
    elif encoding == "cp932" and _KANA.match(letter):
        mark = 1.0
    elif letter in _WIDE_SIGNS:
        mark = 0.5
    elif _is_between(data, _COMMON[encoding], encoding):
        mark = 1.0 if encoding == "gb18030" else 0.95
    elif _is_between(data, _RARE[encoding], encoding):
        mark = 0.2 if encoding == "gb18030" else 0.0
    else:
        mark = -0.5
    return mark - (0.7 * touching if single else 0.0)


def _is_between(data: bytes, first: tuple[int, int], encoding: str) -> bool:
    """Whether a character is in this range of the standard itself, not in one of its extensions."""
    standard = encoding in ("cp932", "big5") or data[1] >= 0xA1
    return len(data) == 2 and first[0] <= data[0] <= first[1] and standard


def _latin(letter: str, before: str, after: str) -> float:
    if letter in _LATIN_SIGNS:
        return 0.6 if not (_is_ascii_letter(before) and _is_ascii_letter(after)) or letter == "\u2019" else -0.5
    if not letter.isalpha() or not ("\u00c0" <= letter <= "\u00ff" or letter in _SELDOM):
        return -1.0
    mark = 0.5 if letter in _SELDOM else 1.0
    if letter.isupper():
        mark -= 1.5 if before.islower() or (before.isalpha() and after.islower()) else 0.1
    beside_another = not (before + after).isascii()
    if beside_another and not (_is_ascii_letter(before) or _is_ascii_letter(after)):
        mark -= 0.7
    return mark


def _cyrillic(letter: str, before: str, after: str) -> float:
    if not ("\u0410" <= letter <= "\u044f" or letter in "\u0401\u0451"):
        return -1.0
    if _is_ascii_letter(before) or _is_ascii_letter(after):
        return -1.0
    mark = 0.9 + 0.1 * (letter.lower() in _RUSSIAN_OFTEN) - 0.5 * (before + after).isascii()
    return mark - 1.5 * (letter.isupper() and before.islower())


def _is_ascii_letter(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()

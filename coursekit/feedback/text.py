"""Untrusted text -> text without invisible characters and without changes of the writing direction."""

import re
import unicodedata
from html import unescape

from coursekit.model import accents
from coursekit.model.accents import MOST_IN_A_ROW

MAX_CHARS, _TAIL_CHARS = 20_000, 2_000
MAX_LINES, _TAIL_LINES = 3_000, 300
_MAX_KNOWN = 10_000  # all of Unicode would take 150 MiB
_JOINERS = "\u200c\u200d"  # several scripts and many emoji need them inside words
_INVISIBLE = ("Cc", "Cf", "Cs", "Co")  # control, format (also direction), surrogate and private-use characters
# Escape sequences of terminals: CSI, OSC (a title, a link) and the short ones. Each part matches in linear time.
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")

_LONG_NUMBERS = re.compile(r"(?<=&#)[0-9]{8,}+")  # seven digits are enough for every character


class _WrittenOut(dict[int, str]):
    """For ``str.translate``: how each character is shown, cached for the first ``_MAX_KNOWN`` characters."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        hidden = unicodedata.category(character) in _INVISIBLE and character not in _JOINERS
        shown = f"⟨U+{code:04X}⟩" if hidden else character
        if len(self) < _MAX_KNOWN:
            self[code] = shown
        return shown


_SHOWN = _WrittenOut({ord("\t"): "\t", ord("\n"): "\n", 0xA0: " ", 0xFEFF: ""})


def visible(text: str) -> str:
    """The text with control characters, direction marks and other invisible ones written out, as ``⟨U+202E⟩``."""
    return re.sub("\r\n?|[\u2028\u2029\x0b\x0c\x85]", "\n", _few_marks(text)).translate(_SHOWN)


def _few_marks(text: str) -> str:
    """Limit the combining marks on one letter, which browsers place slowly; a number replaces the rest."""
    parts, done = list[str](), 0
    for begin, end in accents.long_rows(text, _is_mark):
        parts += [text[done : begin + MOST_IN_A_ROW], f"⟨{end - begin - MOST_IN_A_ROW:,} more marks⟩"]
        done = end
    return "".join([*parts, text[done:]])


def _is_mark(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter).startswith("M")


def unescaped(html: str) -> str:
    """The text of a piece of HTML without tags: character references are replaced by their characters.

    Long numbers are shortened first: Python raises for one of more than 4,300 digits.
    """
    return unescape(_LONG_NUMBERS.sub(_short_number, html))


def name(text: str, limit: int = 120) -> str:
    """A name on one line, cut to ``limit`` characters."""
    one_line = " ".join(visible(text[: 4 * limit]).split())
    for joiner in _JOINERS:
        one_line = one_line.replace(joiner, f"⟨U+{ord(joiner):04X}⟩")
    return one_line if len(one_line) <= limit else f"{one_line[: limit - 1]}…"


def terminal(text: str) -> str:
    """The text as a terminal shows it in the end: without colours, and of an overwritten line the last state."""
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\b", "")
    if "\r" in plain:
        plain = "\n".join(_last_state(line) for line in plain.split("\n"))
    return visible(plain)


def cut(text: str, limit: int = MAX_CHARS) -> str:
    """The beginning and the end of a text that is too long, and between them how much was left out."""
    if len(text) > limit:
        tail = min(_TAIL_CHARS, limit // 4)
        text = f"{text[: limit - tail]}\n[… {len(text) - limit:,} characters are left out here …]\n{text[-tail:]}"
    if (lines := text.count("\n") + 1) > MAX_LINES:
        begin, end = text.split("\n", MAX_LINES - _TAIL_LINES)[:-1], text.rsplit("\n", _TAIL_LINES)[1:]
        text = "\n".join([*begin, f"[… {lines - MAX_LINES:,} lines are left out here …]", *end])
    return text


def _short_number(found: re.Match[str]) -> str:
    digits = found[0].lstrip("0") or "0"
    return digits if len(digits) < 8 else "9999999"  # larger than every character: invalid like the original


def _last_state(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")

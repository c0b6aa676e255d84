"""Text for a terminal of any encoding: without control characters and without encoding errors."""

import codecs
from typing import TextIO

ERRORS = "coursekit-plain"  # the name under which Python's codecs know ``_spell``
_PLAIN = {
    "–": "-", "—": "-", "−": "-", "‑": "-", "·": "-", "•": "*", "×": "x", "…": "...", "→": "->", "←": "<-",
    "≤": "<=", "≥": ">=", "≠": "!=", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "\N{NO-BREAK SPACE}": " ",
    "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip
# Box-drawing characters of Rich and Typer, which they do not always replace by ASCII themselves.
_LINES = {**dict.fromkeys("─━╌═╴╶╸╺", "-"), **dict.fromkeys("│┃║", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯", "+")}


def printable(text: str, encoding: str | None) -> str:
    """The text as this encoding can show it: no control characters, signs in plain letters, others as ``\\xe9``."""
    text = "".join(c if c.isprintable() or c == "\n" or _is_half(c) else "\N{REPLACEMENT CHARACTER}" for c in text)
    encoding = encoding or "utf-8"
    return text.encode(encoding, ERRORS).decode(encoding)


def replace_unencodable(*streams: TextIO) -> None:
    """Set these streams to replace characters that they cannot encode, instead of raising UnicodeEncodeError."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)  # a test may have replaced the stream by a simpler object
        if reconfigure is not None:
            reconfigure(errors=ERRORS)


def _is_half(character: str) -> bool:
    """Whether it is a lone surrogate: a byte of a file name that is invalid in the file system's encoding."""
    return "\ud800" <= character <= "\udfff"


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelt = (_plain(character) for character in error.object[error.start : error.end])
    return "".join(spelt), error.end


def _plain(character: str) -> str:
    known = _PLAIN.get(character) or _LINES.get(character)
    return known or character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(ERRORS, _spell)

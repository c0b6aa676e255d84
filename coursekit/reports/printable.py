"""Text that a terminal can take, whatever its encoding: nothing moves the cursor, and no sign ends in an error."""

import codecs
from typing import TextIO

ERRORS = "coursekit-plain"  # the name under which Python's codecs know ``_spell``
_PLAIN = {
    "–": "-", "—": "-", "−": "-", "‑": "-", "·": "-", "•": "*", "×": "x", "…": "...", "→": "->", "←": "<-",
    "≤": "<=", "≥": ">=", "≠": "!=", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "\N{NO-BREAK SPACE}": " ",
    "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip
# What rich and Typer draw with, where they do not choose an ASCII box by themselves.
_LINES = {**dict.fromkeys("─━╌═╴╶╸╺", "-"), **dict.fromkeys("│┃║", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯", "+")}


def printable(text: str, encoding: str | None) -> str:
    """The text as this encoding can show it: no control characters, signs in plain letters, others as ``\\xe9``."""
    text = "".join(c if c.isprintable() or c == "\n" or _is_half(c) else "\N{REPLACEMENT CHARACTER}" for c in text)
    encoding = encoding or "utf-8"
    return text.encode(encoding, ERRORS).decode(encoding)


def replace_unencodable(*streams: TextIO) -> None:
    """From now on no stream of these raises UnicodeEncodeError."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)  # a test may have put something simpler there
        if reconfigure is not None:
            reconfigure(errors=ERRORS)


def _is_half(character: str) -> bool:
    """A lone surrogate: a byte of a file name that is no text in the file system's encoding."""
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

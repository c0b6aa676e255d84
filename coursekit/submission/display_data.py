"""The allowed parts of a display: MIME types, text, and presentation metadata. Everything else is dropped.

The values come from processes and files that a student controls, so no function here raises.
"""

import re
from collections.abc import Iterable
from typing import Any

TEXTS, MARKUP = ("text/plain", "text/markdown", "text/latex"), ("text/html", "image/svg+xml")
IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
MIMES = ("text/plain", "text/html", "text/markdown", "text/latex", *IMAGES, "image/svg+xml")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_NUMBERS, _FLAGS, _WORDS = ("width", "height"), ("isolated", "unconfined", "expanded"), ("alt", "root")
_BACKGROUNDS = ("light", "dark")
_MAX_NAME_CHARS = 200
_MAX_WORDS_CHARS = 5_000
_MAX_SIZE = 100_000


def text(value: Any) -> str:
    """The value as valid Unicode text; a list of strings is joined, as in a notebook's file."""
    if isinstance(value, list):
        return "".join(text(item) for item in value if isinstance(item, str))
    if isinstance(value, str):
        return _LONE_SURROGATES.sub("\ufffd", value)
    return str(value) if isinstance(value, bool | float) else ""


def is_text(value: str) -> bool:
    """Whether the text has no lone surrogates, which cannot be encoded as UTF-8."""
    return not _LONE_SURROGATES.search(value)


def length(value: Any) -> int:
    """The length of ``text(value)``, computed without building the text."""
    if isinstance(value, list):
        return sum(map(length, value))
    return len(value) if isinstance(value, str) else 0


def name(value: Any) -> str:
    """The beginning of a text, without control characters."""
    return "".join(filter(str.isprintable, text(value)[:_MAX_NAME_CHARS]))


def presentation(metadata: Any, mimes: Iterable[str]) -> dict[str, Any]:
    """The presentation metadata of a display: general, and by MIME type."""
    if not isinstance(metadata, dict):
        return {}
    by_mime = {mime: _presentation(metadata[mime]) for mime in mimes if isinstance(metadata.get(mime), dict)}
    return _presentation(metadata) | by_mime


def _presentation(said: dict[str, Any]) -> dict[str, Any]:
    """Sizes, alternative text, and drawing flags."""
    sizes = {
        key: said[key]
        for key in _NUMBERS
        if isinstance(said.get(key), int | float) and not isinstance(said[key], bool) and 0 < said[key] < _MAX_SIZE
    }
    flags = {key: said[key] for key in _FLAGS if isinstance(said.get(key), bool)}
    words = {key: text(said[key])[:_MAX_WORDS_CHARS] for key in _WORDS if isinstance(said.get(key), str)}
    background = said.get("needs_background")
    return sizes | flags | words | ({"needs_background": background} if background in _BACKGROUNDS else {})

"""Pictures for the page: PNG, JPEG and GIF of limited size, validated by their headers, as data URIs."""

import base64
import binascii
import html
import re
import struct
from typing import Any

from coursekit.feedback import text
from coursekit.feedback.budget import Budget, BudgetExceeded

MAX_BYTES = 6 << 20
MAX_PIXELS = 40_000_000
MAX_ALT_CHARS = 600
_DATA_URI = re.compile(r"\s*data:image/(png|jpe?g|gif);base64,", re.IGNORECASE)


def from_base64(data: str, alt: str, width: Any = None, budget: Budget | None = None) -> str:
    """An ``<img>``, or a sentence why there is none. The data is decoded and encoded again, to drop anything else."""
    alt = text.name(alt, MAX_ALT_CHARS)
    if len(data) > MAX_BYTES * 3 // 2:
        return absent(alt, "it is too large")
    budget = budget or Budget()
    try:
        budget.take_picture(len(data), 0)  # before decoding, which takes time even if it is no picture
    except BudgetExceeded:
        return absent(alt, "there are too many for one page")
    try:
        raw = base64.b64decode(re.sub(r"\s", "", data), validate=True)
    except (binascii.Error, ValueError):
        return absent(alt, "it is damaged")
    kind, size = _looked_into(raw)
    if not kind:
        return absent(alt, "it is no PNG, JPEG or GIF picture")
    if len(raw) > MAX_BYTES or not 0 < size[0] * size[1] <= MAX_PIXELS:
        return absent(alt, "it is too large")
    try:
        budget.take_picture(0, size[0] * size[1])
    except BudgetExceeded:
        return absent(alt, "there are too many for one page")
    known = width if type(width) is int and 0 < width <= 4000 else min(size[0], 4000)
    encoded = base64.b64encode(raw).decode("ascii")
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{html.escape(alt)}" width="{known}">'


def from_source(source: str, alt: str, budget: Budget | None = None) -> str:
    """The picture in the ``src`` of an ``<img>``: only a data URI in the notebook, never an address."""
    found = _DATA_URI.match(source)
    if not found:
        return absent(text.name(alt, MAX_ALT_CHARS), "only pictures handed in with the notebook are shown")
    return from_base64(source[found.end() :], alt or "A picture in the notebook", budget=budget)


def absent(alt: str, why: str) -> str:
    """The sentence in place of a picture, with its description if it has one."""
    described = f": {alt}" if alt.strip() else ""
    return f'<span class="absent">[A picture is not shown here, because {html.escape(why + described)}]</span>'


def _looked_into(raw: bytes) -> tuple[str, tuple[int, int]]:
    """Kind, width and height of a picture, from its own header; ("", (0, 0)) for anything else."""
    if raw[:8] == b"\x89PNG\r\n\x1a\n" and raw[12:16] == b"IHDR" and len(raw) >= 33:
        return "png", struct.unpack(">II", raw[16:24])
    if raw[:6] in (b"GIF87a", b"GIF89a") and len(raw) >= 26:
        return "gif", struct.unpack("<HH", raw[6:10])
    if raw[:3] != b"\xff\xd8\xff":
        return "", (0, 0)
    place = 2
    while place + 9 <= len(raw) and raw[place] == 0xFF:
        marker, (length,) = raw[place + 1], struct.unpack(">H", raw[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", raw[place + 5 : place + 9])
            return "jpeg", (width, height)
        place += 2 + length
    return "", (0, 0)

"""Pictures that a student has pasted into a Markdown cell: kept where they are pictures, and bearably large."""

import binascii
from typing import Any

MAX_PICTURES, MAX_CHARS, MAX_NAME_CHARS = 10, 8 << 20, 200  # the characters are base64, of all pictures of a cell
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def kept(found: Any) -> dict[str, dict[str, str]]:
    """The PNG and JPEG pictures of a cell's attachments, by name and MIME type; whatever else is there is left out."""
    pictures: dict[str, dict[str, str]] = {}
    left = MAX_CHARS
    for name, bundle in found.items() if isinstance(found, dict) else ():
        if not isinstance(name, str) or len(name) > MAX_NAME_CHARS or not isinstance(bundle, dict):
            continue
        for mime, magic in _MAGIC.items():
            data = bundle.get(mime)
            data = "".join(data) if isinstance(data, list) and all(isinstance(part, str) for part in data) else data
            if (
                isinstance(data, str)
                and len(data) <= left
                and _begins_with(data, magic)
                and len(pictures) < MAX_PICTURES
            ):
                pictures[name] = {mime: data}
                left -= len(data)
    return pictures


def _begins_with(data: str, magic: bytes) -> bool:
    try:
        return binascii.a2b_base64(data[:64].encode("ascii")).startswith(magic)
    except (ValueError, UnicodeEncodeError):
        return False

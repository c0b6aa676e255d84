"""Validates the MIME bundle of a display: known MIME types, within their size limits, with data of that type."""

import binascii
import copy
import math
import re
from collections.abc import Mapping
from typing import Any

from coursekit.marking.output_limits import Caps, Room, size, terminal, too_costly
from coursekit.submission import display_data
from coursekit.submission.display_data import IMAGES, MARKUP, TEXTS

LEFT_OUT = "left out by the grader"
_JSON = re.compile(r"application/([\w.-]{1,80}\+)?json", re.ASCII)
_MAX_MIMES = 20
_MAX_DEPTH = 20


def bundle(raw: Mapping[str, Any], caps: Caps, room: Room) -> tuple[dict[str, Any], dict[str, Any]]:
    """The accepted data and metadata of a display; a note in the data names what was rejected."""
    found = raw.get("data")
    data: dict[str, Any] = {}
    notes: list[str] = []
    for mime, value in list(found.items())[:_MAX_MIMES] if isinstance(found, dict) else ():
        kind = display_data.name(mime)
        piece, why = _piece(mime, value, caps, room)
        if why:
            notes.append(f"{kind} {why}")
        else:
            data[kind] = piece
    if notes or not data:
        note = f"[{LEFT_OUT}: {'; '.join(notes) or 'there is nothing in it'}]"
        data["text/plain"] = "\n".join(filter(None, (data.get("text/plain"), note)))
    return data, display_data.presentation(raw.get("metadata"), data)


def _piece(mime: str, value: Any, caps: Caps, room: Room) -> tuple[Any, str]:
    """The value to keep for a MIME type, and the reason if it is rejected, otherwise an empty text."""
    if mime == "text/plain":
        return terminal(display_data.text(value), caps.text_chars, caps.lines, room), ""
    if mime in TEXTS or mime in MARKUP:
        return _markup(value, mime in MARKUP, caps, room)
    if mime in IMAGES:
        if why := _too_long(value, caps.rich_chars, room):
            return None, why
        image = display_data.text(value)
        return image, "" if _is_image(image, IMAGES[mime]) else "is no such image"
    if not _JSON.fullmatch(display_data.name(mime)):
        return None, "is not shown here"
    if not _is_json(value) or size(value) > min(caps.text_chars, room.markup):
        return None, "is too large"
    room.markup -= size(value)
    return copy.deepcopy(value), ""


def _markup(value: Any, is_html: bool, caps: Caps, room: Room) -> tuple[str, str]:
    """Accept or reject the markup as a whole: truncated HTML or a truncated equation cannot be rendered."""
    most = caps.rich_chars if is_html else min(caps.markup_chars, caps.text_chars)
    if why := _too_long(value, most, room):
        return "", why
    markup = display_data.text(value)
    return markup, too_costly(markup, is_html, room)


def _too_long(value: Any, most: int, room: Room) -> str:
    """Why a text is too long to be kept, so that it need not be processed; empty if it is not."""
    length = display_data.length(value)
    return "is too large" if length > most else "does not fit in" if length > room.chars else ""


def _is_image(text: str, magic: bytes) -> bool:
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True).startswith(magic)
    except ValueError:  # not base64, or not ASCII
        return False


def _is_json(value: Any, depth: int = 0) -> bool:
    """Whether the value can be written as JSON that every parser accepts."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(_is_json(key, depth + 1) and _is_json(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item, depth + 1) for item in value)
    if isinstance(value, str):
        return display_data.is_text(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 1 << 63)

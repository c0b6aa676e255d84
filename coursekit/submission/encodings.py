"""Bytes -> text: detects the encoding of a file."""

import json

_LOST = "\N{REPLACEMENT CHARACTER}"


def decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file, decoded with the detected encoding, and a note if letters were lost."""
    encoding = json.detect_encoding(data)
    if encoding in ("utf-8", "utf-8-sig"):
        try:
            return data.decode(encoding), ()
        except UnicodeDecodeError:
            text = data.decode(encoding, "replace")
    else:
        text = data.decode(encoding, "replace")
        if _LOST not in text:
            return text, ()
    lost = text.count(_LOST)
    if encoding == "utf-8" and not any(ord(letter) > 127 for letter in set(text) - {_LOST}):
        return _western(data), ()
    many = "one damaged letter of the file was" if lost == 1 else f"{lost} damaged letters of the file were"
    return text, (f"{many[0].upper()}{many[1:]} replaced by a question mark.",)


def _western(data: bytes) -> str:
    """Decode what older Windows programs write: one byte per letter outside ASCII."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")

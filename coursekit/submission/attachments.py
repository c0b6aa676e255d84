"""Pictures in cells as attachments: PNG, JPEG and GIF are kept, up to limits of size and number."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from coursekit.model import accents

MAX_PICTURES, MAX_CHARS, MAX_NAME_CHARS = 10, 8 << 20, 200  # characters of base64, of all pictures of a cell
MAX_ALL_PICTURES, MAX_ALL_CHARS = 40, 16 << 20  # of a whole notebook
Pictures = Mapping[str, Mapping[str, str]]  # base64 by name and MIME type, as in a cell
# The first base64 letters of each picture format.
_BEGINS = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGODdh": "image/gif", "R0lGODlh": "image/gif"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]++={0,2}")
# Inside quotes an address may contain line breaks; elsewhere a blank ends it.
_DATA_URI = re.compile(
    r"""(?i:(?P<quote>["'])\s{0,9}data:image/[a-z0-9.+-]{1,20};base64,)(?P<broken>[A-Za-z0-9+/=%\s]{20,}+)(?P=quote)"""
    r"""|(?i:data:image/[a-z0-9.+-]{1,20};base64,)(?P<plain>[A-Za-z0-9+/=%]{20,}+)"""
)


def accepted(found: Any) -> dict[str, dict[str, str]]:
    """The pictures among a cell's attachments, by name and by the MIME type that their data shows."""
    pictures: dict[str, dict[str, str]] = {}
    left = MAX_CHARS
    for name, bundle in found.items() if isinstance(found, dict) else ():
        if not isinstance(name, str) or len(name) > MAX_NAME_CHARS or not isinstance(bundle, dict):
            continue
        for mime, data in bundle.items():
            picture = from_base64(data) if isinstance(mime, str) and mime.startswith("image/") else {}
            weight = sum(map(len, picture.values()))
            if picture and weight <= left and len(pictures) < MAX_PICTURES:
                pictures[name] = picture
                left -= weight
                break
    return pictures


def from_base64(data: Any) -> dict[str, str]:
    """The picture in a base64 text, by its MIME type; empty if it is no picture, or too large."""
    if isinstance(data, list) and all(isinstance(part, str) for part in data):
        data = "".join(data)
    if not isinstance(data, str) or len(data) > MAX_CHARS * 11 // 10:  # with line ends
        return {}
    data = "".join(data.split())
    mime = next((mime for begin, mime in _BEGINS.items() if data.startswith(begin)), "")
    return {mime: data} if mime and len(data) <= MAX_CHARS and _BASE64.fullmatch(data) else {}


def inlined(source: str, pictures: Pictures) -> tuple[str, dict[str, dict[str, str]]]:
    """The text with its data URIs (Colab embeds pictures in this way) turned into attachments, and all attachments."""
    found = {name: dict(bundle) for name, bundle in pictures.items()}
    if "data:image/" not in source.lower():
        return source, found

    def attached(uri: re.Match[str]) -> str:
        bundle = from_base64(unquote(uri["broken"] or uri["plain"]))
        if not bundle or not has_room(found, bundle):
            return uri[0]
        mark = uri["quote"] or ""
        return f"{mark}attachment:{add(found, 'picture' + _suffix(bundle), bundle)}{mark}"

    return _DATA_URI.sub(attached, source), found


def add(pictures: dict[str, dict[str, str]], name: str, bundle: Mapping[str, str]) -> str:
    """Add a picture and return its name: ``name``, with a number if another picture has that name."""
    stem, dot, suffix = re.sub(r"[^\w.-]+", "-", name)[-MAX_NAME_CHARS // 2 :].rpartition(".")
    free, number = f"{stem}{dot}{suffix}", 2
    while free in pictures and pictures[free] != bundle:
        free, number = f"{stem}-{number}{dot}{suffix}", number + 1
    pictures[free] = dict(bundle)
    return free


def merged(parts: Iterable[tuple[str, Pictures]], between: str = "\n\n") -> tuple[str, dict[str, dict[str, str]]]:
    """Several texts joined into one, with the pictures of all, up to the limits of one cell."""
    texts: list[str] = []
    found: dict[str, dict[str, str]] = {}
    for text, pictures in parts:
        for name, bundle in pictures.items():
            if not has_room(found, bundle):
                continue
            if found.get(name, bundle) == bundle:
                found[name] = dict(bundle)
            else:
                fresh = add(found, name, bundle)
                for written in {name, quote(name)}:
                    text = text.replace(f"attachment:{written}", f"attachment:{fresh}")
        texts.append(text)
    return between.join(texts), found


def with_all_pictures(text: str, pictures: Pictures) -> str:
    """The text, followed by those of its pictures to which it does not refer."""
    there = normalized(text)
    left = [name for name in pictures if f"attachment:{normalized(name)}" not in there]
    return "\n\n".join([*filter(None, [text.rstrip()]), *(f"![](<attachment:{quote(name)}>)" for name in left)])


def find(pictures: Any, name: str) -> Any:
    """The attachment to which a text refers by this name, which may be percent-encoded (``%20``)."""
    if not isinstance(pictures, dict):
        return None
    return pictures.get(name) or next((pictures[own] for own in pictures if normalized(own) == normalized(name)), None)


def normalized(name: str) -> str:
    """A name or text for comparison: percent-decoded, and in Unicode's composed form (NFC)."""
    return accents.composed(unquote(name))


def drop_excess(cells: Iterable[Any]) -> int:
    """Remove the pictures that exceed the limits of a notebook; return how many were removed."""
    many, left, lost = MAX_ALL_PICTURES, MAX_ALL_CHARS, 0
    for cell in cells:
        pictures = cell.get("attachments") or {}
        for name in [*pictures]:
            many, left = many - 1, left - sum(map(len, pictures[name].values()))
            if many < 0 or left < 0:
                lost += 1
                del pictures[name]
    return lost


def has_room(pictures: Pictures, another: Mapping[str, str]) -> bool:
    """Whether the limits of a cell allow another picture beside these."""
    weight = sum(len(data) for bundle in (*pictures.values(), another) for data in bundle.values())
    return len(pictures) < MAX_PICTURES and weight <= MAX_CHARS


def _suffix(bundle: Mapping[str, str]) -> str:
    return "." + next(iter(bundle)).removeprefix("image/").replace("jpeg", "jpg")

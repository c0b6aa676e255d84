"""Pictures in cells as attachments: kept where they are PNG, JPEG or GIF, and bearably large."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from coursekit.model import accents

MAX_PICTURES, MAX_CHARS, MAX_NAME_CHARS = 10, 8 << 20, 200  # the characters are base64, of all pictures of a cell
MAX_ALL_PICTURES, MAX_ALL_CHARS = 40, 16 << 20  # of a whole notebook
Pictures = Mapping[str, Mapping[str, str]]  # as a cell has them: by name and MIME type, in base64
# The first bytes of a picture, of which base64 makes these first letters.
_BEGINS = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGODdh": "image/gif", "R0lGODlh": "image/gif"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]++={0,2}")
# Between quotes an address may be broken into lines; elsewhere a blank ends it.
_DATA_URI = re.compile(
    r"""(?i:(?P<quote>["'])\s{0,9}data:image/[a-z0-9.+-]{1,20};base64,)(?P<broken>[A-Za-z0-9+/=%\s]{20,}+)(?P=quote)"""
    r"""|(?i:data:image/[a-z0-9.+-]{1,20};base64,)(?P<plain>[A-Za-z0-9+/=%]{20,}+)"""
)


def kept(found: Any) -> dict[str, dict[str, str]]:
    """The pictures among a cell's attachments, by name and by the MIME type that they really have; nothing else."""
    pictures: dict[str, dict[str, str]] = {}
    left = MAX_CHARS
    for name, bundle in found.items() if isinstance(found, dict) else ():
        if not isinstance(name, str) or len(name) > MAX_NAME_CHARS or not isinstance(bundle, dict):
            continue
        for mime, data in bundle.items():
            picture = of_base64(data) if isinstance(mime, str) and mime.startswith("image/") else {}
            weight = sum(map(len, picture.values()))
            if picture and weight <= left and len(pictures) < MAX_PICTURES:
                pictures[name] = picture
                left -= weight
                break
    return pictures


def of_base64(data: Any) -> dict[str, str]:
    """The picture that base64 text holds, by its MIME type; nothing where it holds none, or is too large."""
    if isinstance(data, list) and all(isinstance(part, str) for part in data):
        data = "".join(data)
    if not isinstance(data, str) or len(data) > MAX_CHARS * 11 // 10:  # with line ends
        return {}
    data = "".join(data.split())
    mime = next((mime for begin, mime in _BEGINS.items() if data.startswith(begin)), "")
    return {mime: data} if mime and len(data) <= MAX_CHARS and _BASE64.fullmatch(data) else {}


def inlined(source: str, pictures: Pictures) -> tuple[str, dict[str, dict[str, str]]]:
    """A text whose data URIs have become attachments, beside those that it has: Colab writes pictures so."""
    found = {name: dict(bundle) for name, bundle in pictures.items()}
    if "data:image/" not in source.lower():
        return source, found

    def attached(uri: re.Match[str]) -> str:
        bundle = of_base64(unquote(uri["broken"] or uri["plain"]))
        if not bundle or not has_room(found, bundle):
            return uri[0]
        mark = uri["quote"] or ""
        return f"{mark}attachment:{add(found, 'picture' + _suffix(bundle), bundle)}{mark}"

    return _DATA_URI.sub(attached, source), found


def add(pictures: dict[str, dict[str, str]], name: str, bundle: Mapping[str, str]) -> str:
    """The name under which the picture now is among these: ``name``, with a number where another has it already."""
    stem, dot, suffix = re.sub(r"[^\w.-]+", "-", name)[-MAX_NAME_CHARS // 2 :].rpartition(".")
    free, number = f"{stem}{dot}{suffix}", 2
    while free in pictures and pictures[free] != bundle:
        free, number = f"{stem}-{number}{dot}{suffix}", number + 1
    pictures[free] = dict(bundle)
    return free


def merged(parts: Iterable[tuple[str, Pictures]], between: str = "\n\n") -> tuple[str, dict[str, dict[str, str]]]:
    """Several texts as one, with the pictures of all, as many as one cell may have."""
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


def all_shown(text: str, pictures: Pictures) -> str:
    """The text, with those of its pictures below it to which nothing in it refers."""
    there = normal(text)
    left = [name for name in pictures if f"attachment:{normal(name)}" not in there]
    return "\n\n".join([*filter(None, [text.rstrip()]), *(f"![](<attachment:{quote(name)}>)" for name in left)])


def called(pictures: Any, name: str) -> Any:
    """The attachment that goes by this name in a text, where letters may be written as ``%20`` and the like."""
    if not isinstance(pictures, dict):
        return None
    return pictures.get(name) or next((pictures[own] for own in pictures if normal(own) == normal(name)), None)


def normal(name: str) -> str:
    """A name or text as it is compared: no percent signs, and letters with accents in one piece."""
    return accents.composed(unquote(name))


def bounded(cells: Iterable[Any]) -> int:
    """Takes away the pictures with which these cells have more than a notebook may have; says how many that were."""
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
    """Whether a cell with these pictures may have another one."""
    weight = sum(len(data) for bundle in (*pictures.values(), another) for data in bundle.values())
    return len(pictures) < MAX_PICTURES and weight <= MAX_CHARS


def _suffix(bundle: Mapping[str, str]) -> str:
    return "." + next(iter(bundle)).removeprefix("image/").replace("jpeg", "jpg")

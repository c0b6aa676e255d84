"""Limits of the outputs in a notebook, which bound the work of everything that reads it.

They count what costs time in readers: characters, outputs, tags, terminal escape sequences. nbgrader and nbconvert
parse HTML, Markdown and JSON in more than linear time, and copy the rest of a text at each change of colour.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

CUT = "cut here by the grader: too much output"

_MAX_TAG_DEPTH = 100
_TAG_COST = 10  # of an HTML tag, in characters of Markdown or JSON
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})")
_VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "wbr", "col", "path", "use"))
_END_OPTIONAL = frozenset(("p", "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody", "tfoot"))
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b")


@dataclass(frozen=True)
class Caps:
    """Limits of one cell's outputs, in characters of the notebook."""

    stream_chars: int = 200_000  # of each stream
    text_chars: int = 200_000  # of each other text
    lines: int = 10_000  # of each stream and text: in a notebook's file each has a line of its own
    markup_chars: int = 20_000  # of each piece of Markdown or LaTeX, which renderers read in more than linear time
    rich_chars: int = 4_000_000  # of each image in base64, each piece of HTML or SVG
    cell_chars: int = 8_000_000  # of all together
    outputs: int = 200  # in number


@dataclass
class Room:
    """What is left of the limits of a whole notebook, since many cells may each reach the limits of a cell.

    It bounds the work of nbconvert, nbgrader and JupyterLab with the notebook in ``autograded/``.
    """

    chars: int = 16_000_000
    lines: int = 100_000
    outputs: int = 2_000
    markup: int = 500_000  # to be parsed: characters of Markdown, LaTeX and JSON, and tags of HTML
    escapes: int = 20_000  # of terminals; nbconvert copies the rest of a text at each


def size(value: Any) -> int:
    """The approximate number of characters that the value takes in a notebook's file."""
    if isinstance(value, Mapping):
        return sum(len(str(key)) + size(item) + 6 for key, item in value.items()) + 2
    if isinstance(value, list):
        return sum(size(item) + 2 for item in value) + 2
    return len(encode_basestring(value)) if isinstance(value, str) else len(str(value))


def cut(text: str, chars: int) -> str:
    """The text, truncated to ``chars``; a note marks the cut."""
    return text if len(text) <= chars else f"{text[:chars]}\n[{CUT}]\n"


def terminal(text: str, chars: int, lines: int, room: Room) -> str:
    """Terminal text, truncated, and without escape sequences if there are too many."""
    shown = cut(text, chars)
    parts = shown.splitlines(keepends=True)
    if len(parts) > (most := min(lines, room.lines)):
        parts = parts[:most]
        shown = cut(shown, sum(map(len, parts)))
    room.lines -= len(parts)
    escapes = shown.count("\x1b") + shown.count("\x9b")
    if escapes > room.escapes:
        return _ESCAPES.sub("", shown)
    room.escapes -= escapes
    return shown


def too_costly(markup: str, is_html: bool, room: Room) -> str:
    """Why the markup is too expensive to parse; if it is not, an empty text, and its cost is taken from ``room``."""
    tags, deepest = _tags(markup, room.markup // _TAG_COST) if is_html else (0, 0)
    cost = tags * _TAG_COST if is_html else len(markup)
    if deepest > _MAX_TAG_DEPTH:
        return "is nested too deeply"
    if cost > room.markup:
        return "has too much markup"
    room.markup -= cost
    return ""


def _tags(html: str, most: int) -> tuple[int, int]:
    """An upper bound for any HTML parser of the number of tags and their depth: also in scripts and comments.

    Counting ends when there are more than ``most``.
    """
    tags = depth = deepest = 0
    for found in _TAG.finditer(html):
        tags += 1
        if tags > most:
            break
        if (name := found[2].lower()) not in _VOID and name not in _END_OPTIONAL:
            depth = max(depth - 1, 0) if found[1] else depth + 1
            deepest = max(deepest, depth)
    return tags, deepest

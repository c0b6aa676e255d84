"""From what a child says that its cells show to the outputs of a notebook: valid, bounded, whatever the child said.

Every event comes from a process in which a student's code runs, and is believed in nothing: only known sorts of
outputs, known keys and known MIME types pass, text is text, images are images. What was left out is told in its place.
"""

import binascii
import copy
import math
import re
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output

from coursekit.marking.output_caps import CUT, Caps, Room, cut, terminal, too_costly

__all__ = ["CUT", "LEFT_OUT", "STREAMS", "Caps", "Room", "Shown", "build", "size"]

CAPS = Caps()
LEFT_OUT = "left out by the grader"
STREAMS = ("stdout", "stderr")  # in this order where both wait to be shown: so ipykernel does it

_TEXTS, _MARKUP = ("text/plain", "text/markdown", "text/latex"), ("text/html", "image/svg+xml")
_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
_JSON = re.compile(r"application/([\w.-]{1,80}\+)?json", re.ASCII)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_NUMBERS, _FLAGS, _WORDS = ("width", "height"), ("isolated", "unconfined", "expanded"), ("alt", "root")
_MAX_NAME_CHARS = 200
_MAX_MIMES = 20
_MAX_DEPTH = 20
_MAX_LINES = 100  # of a traceback
_MAX_ALT_CHARS = 5_000

Shown = dict[str, list[NotebookNode]]


def build(
    events: Sequence[Any],
    caps: Caps = CAPS,
    shown: Shown | None = None,
    dropped: int = 0,
    room: Room | None = None,
) -> list[NotebookNode]:
    """The outputs of a cell, from its events; pieces of one stream are put together at the place of the first.

    ``shown`` holds the displays of earlier cells by id: updates reach them, and this cell's displays are added to it.
    ``dropped`` is the number of events that did not even get here; from ``room`` is taken what these outputs need.
    """
    room = room or Room(caps.cell_chars)
    shown = {} if shown is None else shown
    kept, latest = _survivors(events)
    earlier = {display_id: list(shown.get(display_id, ())) for display_id in latest}
    outputs: list[NotebookNode] = []
    there = left = min(caps.cell_chars, room.chars)
    most = min(caps.outputs, room.outputs)
    is_cut = dropped > 0 or len(kept) > most
    for raw, display_id in kept[:most]:
        content = {key: latest[display_id].get(key) for key in ("data", "metadata")} if display_id else {}
        output = _output({**raw, **content}, caps, room)
        if size(output) > left:
            is_cut = True
            continue
        left -= size(output)
        room.outputs -= 1
        outputs.append(output)
        if display_id and "data" in output:  # an error, or a stream, has nothing that could be updated
            shown.setdefault(display_id, []).append(output)
    for display_id, raw in latest.items():
        new = _output({**raw, "output_type": "display_data"}, caps, room) if earlier[display_id] else {}
        for output in earlier[display_id]:
            if size(new) > left:
                is_cut = True
                break
            left -= size(new)
            output.data, output.metadata = copy.deepcopy(new["data"]), copy.deepcopy(new["metadata"])
    room.chars -= there - left
    if is_cut:
        outputs.append(new_output("display_data", data={"text/plain": f"[{CUT}]"}))
    return outputs


def size(value: Any) -> int:
    """About as many characters as the value takes in a notebook's file."""
    if isinstance(value, Mapping):
        return sum(len(str(key)) + size(item) + 6 for key, item in value.items()) + 2
    if isinstance(value, list):
        return sum(size(item) + 2 for item in value) + 2
    return len(encode_basestring(value)) if isinstance(value, str) else len(str(value))


def _survivors(events: Sequence[Any]) -> tuple[list[tuple[dict[str, Any], str]], dict[str, dict[str, Any]]]:
    """What is left to be shown at the end of a cell, each with its display id, and the latest content of every id."""
    kept: list[tuple[dict[str, Any], str]] = []
    latest: dict[str, dict[str, Any]] = {}
    texts: dict[str, list[str]] = {}
    placed: set[str] = set()
    clear_next = False

    def place(names: Sequence[str]) -> None:
        for name in names:
            if name in texts and name not in placed:
                placed.add(name)
                kept.append(({"output_type": "stream", "name": name, "text": texts[name]}, ""))

    for event in events:
        if not isinstance(event, dict):
            continue
        raw, update, display_id = event.get("output"), event.get("update"), _name(event.get("display_id"))
        if isinstance(raw, dict):
            if clear_next:
                kept, texts, placed, clear_next = [], {}, set(), False
            if raw.get("output_type") != "stream":
                place(STREAMS)
                kept.append((raw, display_id))
                if display_id:
                    latest[display_id] = raw
            elif raw.get("name") in STREAMS:
                texts.setdefault(raw["name"], []).append(_text(raw.get("text")))
        elif isinstance(update, dict) and display_id:
            latest[display_id] = update
        elif isinstance(event.get("clear"), dict):
            if event["clear"].get("wait") is True:
                clear_next = True
            else:
                kept, texts, placed = [], {}, set()
        elif event.get("flush") in STREAMS:
            place([event["flush"]])
    place(STREAMS)
    return kept, latest


def _output(raw: Mapping[str, Any], caps: Caps, room: Room) -> NotebookNode:
    sort = raw.get("output_type")
    # Not by new_output, which validates what is valid by the way it is made: most of the time would go into that.
    if sort == "stream":
        return from_dict(
            {
                "output_type": sort,
                "name": raw["name"],
                "text": terminal("".join(raw["text"]), caps.stream_chars, caps.lines, room),
            }
        )
    if sort == "error":
        return _error(raw, caps, room)
    if sort in ("execute_result", "display_data"):
        data, metadata = _bundle(raw, caps, room)
        count = {"execution_count": _count(raw)} if sort == "execute_result" else {}
        return from_dict({"output_type": sort, "data": data, "metadata": metadata, **count})
    return new_output("display_data", data={"text/plain": f"[{LEFT_OUT}: an output of an unknown sort]"})


def _error(raw: Mapping[str, Any], caps: Caps, room: Room) -> NotebookNode:
    found = raw.get("traceback")
    lines = [_text(line) for line in found] if isinstance(found, list) else []
    if len(lines) > _MAX_LINES or sum(map(len, lines)) > caps.text_chars:  # what counts is at both ends
        half = caps.text_chars // 2
        lines = [*_within(lines, half), f"[{CUT}]", *reversed(_within(lines[::-1], half))]
    lines = [terminal(line, caps.text_chars, caps.lines, room) for line in lines]
    name = _name(raw.get("ename")) or "Error"
    return new_output("error", ename=name, evalue=cut(_text(raw.get("evalue")), caps.text_chars), traceback=lines)


def _within(lines: list[str], chars: int) -> list[str]:
    """As many of the first lines as go into so many characters, and into half of the lines that are kept."""
    fits: list[str] = []
    for line in lines[: _MAX_LINES // 2]:
        chars -= len(line)
        if chars < 0:
            break
        fits.append(line)
    return fits


def _bundle(raw: Mapping[str, Any], caps: Caps, room: Room) -> tuple[dict[str, Any], dict[str, Any]]:
    """The data and the metadata of a display, as far as they pass."""
    found, said = raw.get("data"), raw.get("metadata")
    data: dict[str, Any] = {}
    notes: list[str] = []
    for mime, value in list(found.items())[:_MAX_MIMES] if isinstance(found, dict) else ():
        kind = _name(mime)
        if mime == "text/plain":
            data[mime] = terminal(_text(value), caps.text_chars, caps.lines, room)
        elif mime in _TEXTS or mime in _MARKUP:
            most = caps.rich_chars if mime in _MARKUP else min(caps.markup_chars, caps.text_chars)
            why = _too_long(value, most, room)  # half a page of HTML is none, and half an equation neither
            if not why and not (why := too_costly(markup := _text(value), mime in _MARKUP, room)):
                data[mime] = markup
            else:
                notes.append(f"{kind} {why}")
        elif mime in _IMAGES:
            if why := _too_long(value, caps.rich_chars, room):
                notes.append(f"{kind} {why}")
            elif _is_image(image := _text(value), _IMAGES[mime]):
                data[mime] = image
            else:
                notes.append(f"{kind} is no such image")
        elif _JSON.fullmatch(kind):
            if _is_json(value) and size(value) <= min(caps.text_chars, room.markup):
                room.markup -= size(value)
                data[kind] = copy.deepcopy(value)
            else:
                notes.append(f"{kind} is too large")
        else:
            notes.append(f"{kind} is not shown here")
    if notes or not data:
        note = f"[{LEFT_OUT}: {'; '.join(notes) or 'there is nothing in it'}]"
        data["text/plain"] = "\n".join(filter(None, (data.get("text/plain"), note)))
    metadata = _presentation(said)
    if isinstance(said, dict):
        metadata |= {mime: _presentation(said[mime]) for mime in data if isinstance(said.get(mime), dict)}
    return data, metadata


def _too_long(value: Any, most: int, room: Room) -> str:
    """Why there is no work to be done for a text: it could not be kept anyway; empty where it can."""
    length = _length(value)
    return "is too large" if length > most else "does not fit in" if length > room.chars else ""


def _presentation(said: Any) -> dict[str, Any]:
    """What metadata may say: sizes, the text in place of an image, and how to draw what is shown."""
    if not isinstance(said, dict):
        return {}
    sizes = {
        key: said[key]
        for key in _NUMBERS
        if isinstance(said.get(key), int | float) and not isinstance(said[key], bool) and 0 < said[key] < 100_000
    }
    flags = {key: said[key] for key in _FLAGS if isinstance(said.get(key), bool)}
    words = {key: _text(said[key])[:_MAX_ALT_CHARS] for key in _WORDS if isinstance(said.get(key), str)}
    background = said.get("needs_background")
    return sizes | flags | words | ({"needs_background": background} if background in ("light", "dark") else {})


def _is_image(text: str, magic: bytes) -> bool:
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True).startswith(magic)
    except ValueError:  # not base64, or not ASCII
        return False


def _is_json(value: Any, depth: int = 0) -> bool:
    """Whether the value can be written to a file as JSON that every reader reads."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(_is_json(key, depth + 1) and _is_json(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item, depth + 1) for item in value)
    if isinstance(value, str):
        return not _LONE_SURROGATES.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 1 << 63)


def _length(value: Any) -> int:
    """Of what ``_text`` would give, without the work of giving it."""
    if isinstance(value, list):
        return sum(map(_length, value))
    return len(value) if isinstance(value, str) else 0


def _text(value: Any) -> str:
    """The value as text: a list of strings is its lines, as in a notebook's file."""
    if isinstance(value, list):
        return "".join(_text(item) for item in value if isinstance(item, str))
    if isinstance(value, str):
        return _LONE_SURROGATES.sub("\ufffd", value)
    return str(value) if isinstance(value, bool | float) else ""


def _name(value: Any) -> str:
    return "".join(filter(str.isprintable, _text(value)[:_MAX_NAME_CHARS]))


def _count(raw: Mapping[str, Any]) -> int | None:
    count = raw.get("execution_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 1_000_000 else None

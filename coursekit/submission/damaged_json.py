"""Damaged JSON -> the values in it: from Git merges, several documents in one file, and truncated files."""

import json
import re
from collections.abc import Iterator
from typing import Any

from coursekit.submission.notebook_parser import MAX_CELLS

HAND_IN_AGAIN = "hand in the whole file again"
_MERGE = re.compile(r"(?m)^(<{7}|\|{7}|={7}|>{7})(?:[ \t][^\n]*)?\r?$")
_CELL_START = re.compile(r'\{\s*"(?:cell_type|attachments|execution_count|id|metadata|outputs|source|collapsed)"')


def _small_int(digits: str) -> int:
    return int(digits) if len(digits) < 1000 else 0  # Python refuses to convert longer numbers


_DECODER = json.JSONDecoder(strict=False, parse_int=_small_int)


def values(text: str) -> Iterator[tuple[Any, tuple[str, ...], bool]]:
    """Readings of the text as JSON, the likeliest first: the value, notes on it, and whether it is complete."""
    text = text.strip("\ufeff\0 \t\r\n")
    merged = [*_merged(text)]
    if merged:
        yield from merged
        return
    found, rest = documents(text)
    if len(found) > 1:
        for place, document in reversed([*zip(("first", "second", "third"), found, strict=False)]):
            said = f"The file held {len(found)} notebooks, one behind the other; the {place} one was graded."
            yield document, (said,), True
        return
    if found and (isinstance(found[0], dict) or (isinstance(found[0], str) and not rest)):
        left = "Behind the end of the notebook the file held something else, which was left out."
        yield found[0], (left,) if rest else (), True
        return
    cells = _whole_cells(text)
    if cells:
        count = f"{len(cells)} cells" if len(cells) > 1 else "one cell"
        said = f"The file is damaged or breaks off in the middle: {count} could still be read, the rest is lost;"
        yield {"cells": cells}, (f"{said} {HAND_IN_AGAIN}.",), False
    elif found:
        yield found[0], (), True


def _merged(text: str) -> Iterator[tuple[Any, tuple[str, ...], bool]]:
    """The notebooks on both sides of an unfinished Git merge; none if the text has no merge conflict."""
    if len({mark[1] for mark in _MERGE.finditer(text)} & {"<<<<<<<", "=======", ">>>>>>>"}) < 3:
        return
    said = "The file is an unfinished Git merge (it has lines with <<<<<<< and >>>>>>>). The {} was graded;"
    said += " if that is wrong, finish the merge and hand in again."
    for side, version in zip(("upper side", "lower side"), _sides(text), strict=True):
        for document in documents(version)[0][:1]:
            yield document, (said.format(side),), True


def _sides(text: str) -> tuple[str, str]:
    """The two versions of a text with merge conflict markers."""
    sides: tuple[list[str], list[str]] = ([], [])
    writing: tuple[int, ...] = (0, 1)
    for line in text.splitlines(keepends=True):
        mark = _MERGE.match(line.rstrip("\r\n"))
        if mark:
            writing = {"<": (0,), "|": (), "=": (1,), ">": (0, 1)}[mark[1][0]]
            continue
        for side in writing:
            sides[side].append(line)
    return "".join(sides[0]), "".join(sides[1])


def documents(text: str) -> tuple[list[Any], str]:
    """The JSON values at the beginning of a text, at most three, and the rest of the text."""
    if text[:1] not in ("{", "[", '"'):
        start = text.find("{", 0, 4096)
        text = text[start:] if start >= 0 and not text.startswith("<") else ""
    found: list[Any] = []
    while text and len(found) < 3:
        try:
            value, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            break
        if found and not isinstance(value, dict):
            break
        found.append(value)
        text = text[end:].lstrip("\ufeff\0 \t\r\n,")
    return found, text


def _whole_cells(text: str) -> list[Any]:
    """The cells that can be parsed one by one, in a text that is not JSON as a whole."""
    found: list[Any] = []
    at, work = 0, 5 * len(text) + 1_000_000  # bounded: in a hostile text every attempt reads to the end
    while work > 0 and len(found) < MAX_CELLS:
        start = _CELL_START.search(text, at)
        if start is None:
            break
        at = start.start()
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            work -= error.pos - at + error.pos // 20 + 100  # the error counts lines from the beginning of the text
            at += 1
        except (ValueError, RecursionError):
            work -= 20_000
            at += 1
        else:
            work -= end - at
            at = end
            if isinstance(value, dict) and "cell_type" in value and ("source" in value or "input" in value):
                found.append(value)
    return found

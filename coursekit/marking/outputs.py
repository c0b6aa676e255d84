"""Turns the events of a child into valid notebook outputs within limits.

Events come from a process in which a student's code runs, and are untrusted: only known types of outputs, known keys
and known MIME types are accepted, and only with data of that type. A note stands in for what was rejected.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output

from coursekit.marking.cell_display import STREAMS, displayed
from coursekit.marking.mime_bundles import LEFT_OUT, bundle
from coursekit.marking.output_limits import CUT, Caps, Room, cut, size, terminal
from coursekit.submission import display_data

__all__ = ["CUT", "LEFT_OUT", "STREAMS", "Caps", "Displays", "Room", "build", "size"]

CAPS = Caps()

_MAX_LINES = 100  # of a traceback

Displays = dict[str, list[NotebookNode]]


def build(
    events: Sequence[Any],
    caps: Caps = CAPS,
    displays: Displays | None = None,
    dropped: int = 0,
    room: Room | None = None,
) -> list[NotebookNode]:
    """The outputs of a cell, from its events; the pieces of a stream are joined at the place of the first.

    ``displays`` holds the displays of earlier cells by id: updates change them, and this cell's displays are added.
    ``dropped`` is the number of events that were discarded before. What these outputs need is taken from ``room``.
    """
    room = room or Room(caps.cell_chars)
    displays = {} if displays is None else displays
    kept, latest = displayed(events)
    earlier = {display_id: list(displays.get(display_id, ())) for display_id in latest}
    outputs: list[NotebookNode] = []
    allowance = _Allowance(min(caps.cell_chars, room.chars))
    most = min(caps.outputs, room.outputs)
    for raw, display_id in kept[:most]:
        content = {key: latest[display_id].get(key) for key in ("data", "metadata")} if display_id else {}
        output = _output({**raw, **content}, caps, room)
        if not allowance.take(output):
            continue
        room.outputs -= 1
        outputs.append(output)
        if display_id and "data" in output:  # an error or a stream cannot be updated
            displays.setdefault(display_id, []).append(output)
    for display_id, raw in latest.items():
        if earlier[display_id]:
            _update(earlier[display_id], _output({**raw, "output_type": "display_data"}, caps, room), allowance)
    room.chars -= allowance.taken
    if dropped > 0 or len(kept) > most or allowance.exceeded:
        outputs.append(new_output("display_data", data={"text/plain": f"[{CUT}]"}))
    return outputs


class _Allowance:
    """The number of characters that the outputs of one cell may take."""

    def __init__(self, chars: int) -> None:
        self._chars, self.taken, self.exceeded = chars, 0, False

    def take(self, output: Any) -> bool:
        """Take the size of the output from the allowance; returns whether it was available."""
        needed = size(output)
        if self.taken + needed > self._chars:
            self.exceeded = True
            return False
        self.taken += needed
        return True


def _update(earlier: Sequence[NotebookNode], new: NotebookNode, allowance: _Allowance) -> None:
    """Put the new content into displays of earlier cells with the same id, as long as the allowance permits."""
    for output in earlier:
        if not allowance.take(new):
            return
        output.data, output.metadata = copy.deepcopy(new["data"]), copy.deepcopy(new["metadata"])


def _output(raw: Mapping[str, Any], caps: Caps, room: Room) -> NotebookNode:
    sort = raw.get("output_type")
    # Not with new_output: its validation would take most of the time, and these outputs are valid by construction.
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
        data, metadata = bundle(raw, caps, room)
        count = {"execution_count": _count(raw)} if sort == "execute_result" else {}
        return from_dict({"output_type": sort, "data": data, "metadata": metadata, **count})
    return new_output("display_data", data={"text/plain": f"[{LEFT_OUT}: an output of an unknown sort]"})


def _error(raw: Mapping[str, Any], caps: Caps, room: Room) -> NotebookNode:
    found = raw.get("traceback")
    lines = [display_data.text(line) for line in found] if isinstance(found, list) else []
    if len(lines) > _MAX_LINES or sum(map(len, lines)) > caps.text_chars:  # both ends matter most
        half = caps.text_chars // 2
        lines = [*_within(lines, half), f"[{CUT}]", *reversed(_within(lines[::-1], half))]
    lines = [terminal(line, caps.text_chars, caps.lines, room) for line in lines]
    name = display_data.name(raw.get("ename")) or "Error"
    return new_output(
        "error", ename=name, evalue=cut(display_data.text(raw.get("evalue")), caps.text_chars), traceback=lines
    )


def _within(lines: list[str], chars: int) -> list[str]:
    """The first lines, up to ``chars`` characters and half of the maximum number of lines."""
    fits: list[str] = []
    for line in lines[: _MAX_LINES // 2]:
        chars -= len(line)
        if chars < 0:
            break
        fits.append(line)
    return fits


def _count(raw: Mapping[str, Any]) -> int | None:
    count = raw.get("execution_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 1_000_000 else None

"""Folds the events of a cell, in their order, into what it shows at its end: streams, displays, updates, clearings."""

from collections.abc import Sequence
from typing import Any

from coursekit.submission import display_data

STREAMS = ("stdout", "stderr")  # in this order if both are to be placed, as in ipykernel

Raw = dict[str, Any]  # an output as the child sent it


class CellDisplay:
    """The outputs of a cell while its events arrive.

    ``kept`` holds the shown outputs, each with its display id ("" for none), ``latest`` the last content of every id.
    """

    def __init__(self) -> None:
        self.kept: list[tuple[Raw, str]] = []
        self.latest: dict[str, Raw] = {}
        self._texts: dict[str, list[str]] = {}  # by stream; all pieces of a stream become one output
        self._placed: set[str] = set()
        self._clear_next = False

    def take(self, event: Any) -> None:
        """Apply one event; an invalid one is ignored."""
        if not isinstance(event, dict):
            return
        output, update, display_id = (
            event.get("output"),
            event.get("update"),
            display_data.name(event.get("display_id")),
        )
        if isinstance(output, dict):
            self._show(output, display_id)
        elif isinstance(update, dict) and display_id:
            self.latest[display_id] = update
        elif isinstance(event.get("clear"), dict):
            if event["clear"].get("wait") is True:
                self._clear_next = True
            else:
                self._clear()
        elif event.get("flush") in STREAMS:
            self.place(event["flush"])

    def place(self, *streams: str) -> None:
        """Place these streams after the outputs so far, unless they have a place already."""
        for name in streams:
            if name in self._texts and name not in self._placed:
                self._placed.add(name)
                self.kept.append(({"output_type": "stream", "name": name, "text": self._texts[name]}, ""))

    def _show(self, output: Raw, display_id: str) -> None:
        if self._clear_next:
            self._clear()
            self._clear_next = False
        if output.get("output_type") == "stream":
            if output.get("name") in STREAMS:
                self._texts.setdefault(output["name"], []).append(display_data.text(output.get("text")))
            return
        self.place(*STREAMS)
        self.kept.append((output, display_id))
        if display_id:
            self.latest[display_id] = output

    def _clear(self) -> None:
        self.kept, self._texts, self._placed = [], {}, set()


def displayed(events: Sequence[Any]) -> tuple[list[tuple[Raw, str]], dict[str, Raw]]:
    """The outputs at the end of a cell, each with its display id, and the last content of every id."""
    display = CellDisplay()
    for event in events:
        display.take(event)
    display.place(*STREAMS)
    return display.kept, display.latest

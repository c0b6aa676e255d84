"""The reply to one request, collected line by line from a process in which a student's code runs."""

from dataclasses import dataclass, field
from typing import Any

from coursekit.sandbox.guest import channel
from coursekit.sandbox.limits import MIB, ResourceLimits

_MORE_EVENTS = 500  # of a cell, when all cells together have said all that they may


@dataclass(frozen=True)
class Reply:
    """How a request ended, and what was said on the way. All of it may be a lie."""

    end: str  # "done", "timeout" (interrupted, and it still answers) or "lost" (dead, deaf or babbling: `why` in words)
    events: tuple[dict[str, Any], ...] = ()
    done: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    dropped: int = 0


class ReplyCollector:
    """Lines in, a ``Reply`` out, within the limits of bytes and events.

    ``number`` is the id of the request, ``most_events`` what all earlier requests have left of the events.
    """

    def __init__(self, number: int, limits: ResourceLimits, most_events: int) -> None:
        self._number, self._limits, self._most = number, limits, most_events
        self._events: list[dict[str, Any]] = []
        self._done: dict[str, Any] = {}
        self._bytes = self._kept = self._dropped = 0

    @property
    def flooded(self) -> str:
        """In words, why the cell may go on no longer; empty while it may."""
        if self._bytes > self._limits.flood_mib * MIB:
            return f"it wrote more than {self._limits.flood_mib} MiB"
        if self._most < self._limits.events and self._dropped > _MORE_EVENTS:
            return f"all cells together showed more than {self._limits.all_events:,} things"
        return ""

    def count(self, size: int) -> None:
        """So many bytes were received."""
        self._bytes += size

    def take(self, line: bytes) -> bool:
        """Whether this line is the last one of the reply; what it says is collected."""
        fits = self._kept + len(line) <= self._limits.reply_mib * MIB and len(self._events) < self._most
        message = channel.parse(line) if fits or b'"done"' in line else None
        if message and message.get("done") is True and message.get("id") == self._number:
            self._done = message
            return True
        if not message or message.get("done") is True or not fits:
            # No event; or the end of an earlier request, which the student's code wrote before its time.
            self._dropped += 1
        else:
            self._kept += len(line)
            self._events.append(message)
        return False

    def reply(self, end: str, why: str) -> Reply:
        """What was collected, with how it ended."""
        return Reply(end, tuple(self._events), self._done, why, self._dropped)

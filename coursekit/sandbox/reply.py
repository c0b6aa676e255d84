"""The reply to one request, collected line by line from a process in which a student's code runs."""

from dataclasses import dataclass, field
from typing import Any

from coursekit.sandbox.guest import channel
from coursekit.sandbox.limits import MIB, ResourceLimits

_MORE_EVENTS = 500  # dropped in one reply before the cell is stopped, once the submission has used up all its events


@dataclass(frozen=True)
class Reply:
    """How a request ended, and the events that arrived before. A student's code may have forged all of it."""

    # "done", "timeout" (interrupted, and it still answers) or "lost" (dead, unresponsive or flooding: see ``why``)
    end: str
    events: tuple[dict[str, Any], ...] = ()
    done: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    dropped: int = 0


class ReplyCollector:
    """Collects lines into a ``Reply``, within the limits of bytes and events.

    ``number`` is the id of the request, ``most_events`` the number of events that earlier requests have left over.
    """

    def __init__(self, number: int, limits: ResourceLimits, most_events: int) -> None:
        self._number, self._limits, self._most = number, limits, most_events
        self._events: list[dict[str, Any]] = []
        self._done: dict[str, Any] = {}
        self._bytes = self._kept = self._dropped = 0

    @property
    def flooded(self) -> str:
        """Why the cell has to be stopped: it sends too much; empty while it may go on."""
        if self._bytes > self._limits.flood_mib * MIB:
            return f"it wrote more than {self._limits.flood_mib} MiB"
        if self._most < self._limits.events and self._dropped > _MORE_EVENTS:
            return f"all cells together showed more than {self._limits.all_events:,} things"
        return ""

    def count(self, size: int) -> None:
        """Add to the number of received bytes."""
        self._bytes += size

    def take(self, line: bytes) -> bool:
        """Collect a line; returns whether it is the last one of the reply."""
        fits = self._kept + len(line) <= self._limits.reply_mib * MIB and len(self._events) < self._most
        message = channel.parse(line) if fits or b'"done"' in line else None
        if message and message.get("done") is True and message.get("id") == self._number:
            self._done = message
            return True
        if not message or message.get("done") is True or not fits:
            # Not an event, or the forged end of a request: a student's code wrote it ahead of time.
            self._dropped += 1
        else:
            self._kept += len(line)
            self._events.append(message)
        return False

    def reply(self, end: str, why: str) -> Reply:
        """The reply: everything collected so far, with the way in which the request ended."""
        return Reply(end, tuple(self._events), self._done, why, self._dropped)

"""The outside of the sandbox: ``Sandbox`` starts the fork server, ``Child`` is one submission in it.

Nothing that a child says is believed, nothing of it raises here, and everything it does ends within bounds of time,
bytes and events. What is left of a child when it is over is nothing, or the whole sandbox is thrown away.
"""

import select
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from coursekit.errors import CourseError
from coursekit.inside import channel
from coursekit.sandbox import baggage, walls
from coursekit.sandbox.forkserver import Call, Server, ServerLost
from coursekit.sandbox.patience import Patience, Usage, others_had_s
from coursekit.sandbox.walls import Walls

_MIB = 1 << 20
_ATTEMPTS = 4  # in which a server may be lost before a child runs
_LAST_WORDS_S = 3.0  # within which the server tells how the child died whose line is closed
_MORE_EVENTS = 500  # of a cell, when all cells together have said all that they may


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Memory is counted over all of its processes, and bounds each one's addresses."""

    memory_mib: int = 2048
    scratch_mib: int = 64
    processes: int = 64
    open_files: int = 256
    sockets: int = 500  # of all processes together: each may hold 0.2 MiB that no process is said to use
    mappings: int = 100_000  # of memory, of all processes together: a notebook that computes has less than a thousand
    file_mib: int = 16
    cpu_s: int = 600
    inodes: int = 20_000
    reply_mib: int = 8
    events: int = 5_000  # lines in one reply; the rest is counted only
    all_events: int = 20_000  # in all replies together
    flood_mib: int = 32  # said in one reply: then the cell is stopped as if its time were over


@dataclass(frozen=True)
class Reply:
    """How a request ended, and what was said on the way. All of it may be a lie."""

    end: str  # "done", "timeout" (interrupted, and it still answers) or "lost" (dead, deaf or babbling: `why` in words)
    events: tuple[dict[str, Any], ...] = ()
    done: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    dropped: int = 0


class Sandbox:
    """A fork server behind walls, for one assignment. It starts at the first child, and anew when it was thrown away.

    ``files``: trusted files by their names below the student's folder. The modules among them are imported before the
    fork, and the calls made ``beforehand`` whose results they remember, such as pictures. Use it from the thread that
    made it: the sandbox ends with that thread.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        limits: Limits = Limits(),
        walls: Walls | None = None,
        beforehand: Sequence[Call] = (),
    ) -> None:
        self._files, self.limits, self._walls, self._beforehand = dict(files), limits, walls, tuple(beforehand)
        self._server: Server | None = None
        self._child: Child | None = None
        self.starts = 0  # how often a server was started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def walls(self) -> Walls:
        """The walls that hold here. Raises CourseError where there are none and nobody said that none will do."""
        if self._walls is None:
            self._walls = walls.require()
        return self._walls

    def start(self) -> None:
        """The server runs. (``child`` does this by itself.)"""
        if self._server is None:
            self._server = self._started()
            self.starts += 1

    def _started(self) -> Server:
        """A server like every later one. The first, which drew what is kept, has other addresses; cells print them."""
        server = Server(self._files, asdict(self.limits), self.walls, self._beforehand)
        if server.first:
            server.close()
            server = Server(self._files, asdict(self.limits), self.walls, self._beforehand)
        return server

    def child(self, files: Mapping[str, bytes] = {}) -> "Child":
        """A new process with a clean shell in a clean folder, where the trusted files lie and ``files`` beside them."""
        if self._child is not None:
            raise RuntimeError("one child at a time: close the last one first")
        table, data, left_out = baggage.pack(files, self._files, self.limits.scratch_mib * _MIB // 2)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.start()
                assert self._server is not None
                line = self._server.fork(table, data)
                self._child = Child(self, self._server, line, self.limits, left_out)
                return self._child
            except ServerLost as error:
                self.discard()
                if attempt == _ATTEMPTS:
                    raise CourseError(
                        "sandbox", f"no submission can be run ({error})", "run coursekit doctor"
                    ) from error
        raise AssertionError

    def discard(self) -> None:
        """The server is thrown away with all that is in it; the next child gets a new one."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def close(self) -> None:
        """Nothing of the sandbox is left."""
        if self._child is not None:
            self._child.close()
        self.discard()

    def _over(self, server: Server, clean: bool) -> None:
        self._child = None
        if server is self._server and (not clean or self.walls.fresh):
            self.discard()


class Child:
    """One submission. Leaving it kills all that it started and wipes all that it wrote."""

    def __init__(
        self, sandbox: Sandbox, server: Server, line: socket.socket, limits: Limits, left_out: tuple[str, ...]
    ) -> None:
        self._sandbox, self._server, self._line, self._limits = sandbox, server, line, limits
        self.left_out = left_out  # names of the student's own files that were not given to it
        self._requests, self._lost, self._closed, self._born = 0, "", False, time.monotonic()
        self._events = 0
        self._lines, self._early = channel.Lines(limits.reply_mib * _MIB), list[bytes]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: Mapping[str, Any], timeout_s: float, grace_s: float = 2.0) -> Reply:
        """The answer to a request. After ``timeout_s`` it is interrupted, ``grace_s`` later given up ("lost").

        What it has to wait for a processor that other programs use is no part of this time.
        """
        if self._lost or self._closed:
            return Reply("lost", why=self._lost or "the notebook is over")
        self._requests += 1
        most = min(self._limits.events, self._limits.all_events - self._events)
        asked, skipped = _Asked(self._requests, self._limits, most), self._lines.skipped
        patience = Patience(self._server.usage, timeout_s)
        unsent = channel.encode({**request, "id": self._requests})
        reply = self._converse(asked, unsent, timeout_s, grace_s, patience)
        self._events += len(reply.events)
        self._lost = reply.why if reply.end == "lost" else ""
        return replace(reply, dropped=reply.dropped + self._lines.skipped - skipped)

    def others_had_s(self) -> float:
        """How much of its life the child has waited for a processor that other programs used; 0 when it is lost."""
        if self._lost or self._closed:
            return 0.0
        return others_had_s(Usage(), self._server.usage(), time.monotonic() - self._born)

    def _converse(self, asked: "_Asked", unsent: bytes, timeout_s: float, grace_s: float, patience: Patience) -> Reply:
        interrupted = ""  # why
        view, died, look = memoryview(unsent), "", True  # whether the server may have said that the child died
        self._listen(asked, self._early)  # what threads said between two requests; the answer cannot be among it yet
        self._early = []
        poll = select.poll()
        poll.register(self._line, select.POLLIN | select.POLLOUT)
        poll.register(self._server.control, select.POLLIN)
        while True:
            left_s = patience.left_s()
            if died and left_s <= 0:
                return asked.reply("lost", died)
            if left_s <= 0 or (asked.flooded and not interrupted):
                if interrupted:
                    return asked.reply("lost", f"{interrupted}, and it did not stop when it was told to")
                interrupted = asked.flooded or f"it ran for {timeout_s:g} s"
                self._server.interrupt()
                patience = Patience(self._server.usage, grace_s)
                continue
            news = self._server.obituary() if not died and (look or self._server.unread) else ""
            look = False
            if news:
                poll.unregister(self._server.control)
                died, patience = news, Patience(self._server.usage, grace_s)  # for what it said before
            ready = dict(poll.poll(0 if news else max(1.0, left_s * 1000)))
            if not died and self._server.control.fileno() in ready:
                look = True
                continue
            happened = ready.get(self._line.fileno(), 0)
            if happened & select.POLLOUT and view and not died:
                view = self._send(view)
                if not view:
                    poll.modify(self._line, select.POLLIN)
            if happened & (select.POLLIN | select.POLLHUP | select.POLLERR):
                data = self._receive()
                if self._listen(asked, self._lines.feed(data)):
                    return asked.reply("timeout" if interrupted else "done", interrupted)
                asked.count(len(data))
                if not data:
                    why = died or self._server.obituary(_LAST_WORDS_S) or "it closed its line to the grader"
                    return asked.reply("lost", why)
            elif died:
                return asked.reply("lost", died)

    def _listen(self, asked: "_Asked", lines: list[bytes]) -> bool:
        """Whether the last line of the answer is among them. What follows it belongs to the next request."""
        for index, line in enumerate(lines):
            if asked.hear(line):
                self._early = lines[index + 1 :]
                return True
        return False

    def _send(self, view: memoryview) -> memoryview:
        try:
            return view[self._line.send(view, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return view
        except OSError:  # it closed its end: the reading side will tell
            return view[:0]

    def _receive(self) -> bytes:
        try:
            return self._line.recv(channel.CHUNK_BYTES, socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def close(self) -> None:
        """Nothing of it is left."""
        if not self._closed:
            self._closed = True
            clean = self._server.end()
            self._line.close()
            self._sandbox._over(self._server, clean)


class _Asked:
    """What was heard of the answer to one request."""

    def __init__(self, number: int, limits: Limits, most_events: int) -> None:
        self._number, self._limits, self._most = number, limits, most_events
        self._events: list[dict[str, Any]] = []
        self._done: dict[str, Any] = {}
        self._bytes = self._kept = self._dropped = 0

    @property
    def flooded(self) -> str:
        """In words, why it may go on no longer; empty while it may."""
        if self._bytes > self._limits.flood_mib * _MIB:
            return f"it wrote more than {self._limits.flood_mib} MiB"
        if self._most < self._limits.events and self._dropped > _MORE_EVENTS:
            return f"all cells together showed more than {self._limits.all_events:,} things"
        return ""

    def count(self, size: int) -> None:
        self._bytes += size

    def hear(self, line: bytes) -> bool:
        """Take a line; whether it was the last one."""
        fits = self._kept + len(line) <= self._limits.reply_mib * _MIB and len(self._events) < self._most
        if not fits and b'"done"' not in line:
            self._dropped += 1
            return False
        message = channel.parse(line)
        if message is None or (message.get("done") is True and message.get("id") != self._number) or not message:
            self._dropped += 1  # no event, or the end of an earlier request that somebody had ended before its time
        elif message.get("done") is True:
            self._done = message
            return True
        elif fits:
            self._kept += len(line)
            self._events.append(message)
        else:
            self._dropped += 1
        return False

    def reply(self, end: str, why: str) -> Reply:
        return Reply(end, tuple(self._events), self._done, why, self._dropped)

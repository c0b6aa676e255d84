"""The outside of the sandbox: ``Sandbox`` starts the fork server, ``Child`` is one submission in it.

Nothing that a child says is believed, nothing of it raises here, and everything it does ends within bounds of time,
bytes and events. What is left of a child when it is over is nothing, or the whole sandbox is thrown away.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from coursekit.model.errors import CourseError
from coursekit.sandbox import isolation, student_files
from coursekit.sandbox.fork_server import Call, Server, ServerLost
from coursekit.sandbox.guest import channel
from coursekit.sandbox.isolation import Walls
from coursekit.sandbox.limits import DEFAULT_LIMITS, MIB, ResourceLimits
from coursekit.sandbox.reply import Reply, ReplyCollector
from coursekit.sandbox.request import Line, Request
from coursekit.sandbox.timeouts import Usage, others_had_s

_ATTEMPTS = 4  # in which a server may be lost before a child runs


class Sandbox:
    """A fork server behind walls, for one assignment. It starts at the first child, and anew when it was thrown away.

    ``files``: trusted files by their names below the student's folder. The modules among them are imported before the
    fork, and the calls made ``beforehand`` whose results they remember, such as pictures. Use it from the thread that
    made it: the sandbox ends with that thread.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        limits: ResourceLimits = DEFAULT_LIMITS,
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
            self._walls = isolation.require()
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
        table, data, left_out = student_files.pack(files, self._files, self.limits.scratch_mib * MIB // 2)
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
        self, sandbox: Sandbox, server: Server, line: socket.socket, limits: ResourceLimits, left_out: tuple[str, ...]
    ) -> None:
        self._sandbox, self._server, self._limits = sandbox, server, limits
        self._line = Line(line, limits.reply_mib * MIB)
        self.left_out = left_out  # names of the student's own files that were not given to it
        self._requests, self._lost, self._closed, self._born = 0, "", False, time.monotonic()
        self._events = 0

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
        collector, skipped = ReplyCollector(self._requests, self._limits, most), self._line.skipped
        data = channel.encode({**request, "id": self._requests})
        reply = Request(self._server, self._line, collector, data, timeout_s, grace_s).reply()
        self._events += len(reply.events)
        self._lost = reply.why if reply.end == "lost" else ""
        return replace(reply, dropped=reply.dropped + self._line.skipped - skipped)

    def others_had_s(self) -> float:
        """How much of its life the child has waited for a processor that other programs used; 0 when it is lost."""
        if self._lost or self._closed:
            return 0.0
        return others_had_s(Usage(), self._server.usage(), time.monotonic() - self._born)

    def close(self) -> None:
        """Nothing of it is left."""
        if not self._closed:
            self._closed = True
            clean = self._server.end()
            self._line.close()
            self._sandbox._over(self._server, clean)

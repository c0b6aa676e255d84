"""The grader's side of the sandbox: ``Sandbox`` starts the fork server, ``Child`` is one submission in it.

All data from a child is untrusted: it raises nothing here, and time, bytes and events are bounded. If the clean-up
after a child leaves anything behind, the whole sandbox is discarded.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from coursekit.model.errors import CourseError
from coursekit.sandbox import isolation, student_files
from coursekit.sandbox.fork_server import ForkServer, ServerLost, WarmUpCall
from coursekit.sandbox.guest import channel
from coursekit.sandbox.isolation import Isolation
from coursekit.sandbox.limits import DEFAULT_LIMITS, MIB, ResourceLimits
from coursekit.sandbox.reply import Reply, ReplyCollector
from coursekit.sandbox.request import ChildSocket, Helper, Request
from coursekit.sandbox.timeouts import CpuUsage, cpu_steal_s

_ATTEMPTS = 4  # to start a child, each with a new server after the first was lost


class Sandbox:
    """A fork server in isolation, for one assignment. It starts with the first child, and again after ``discard``.

    ``files`` are the trusted files by their names below the student's folder. Before the first fork, the server imports
    the modules among them and makes the ``warm_up_calls``, whose results (such as figures) the modules cache. Use a
    sandbox only from the thread that created it: the sandbox ends with that thread.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        limits: ResourceLimits = DEFAULT_LIMITS,
        layers: Isolation | None = None,
        warm_up_calls: Sequence[WarmUpCall] = (),
    ) -> None:
        self._files, self.limits, self._layers, self._warm_up_calls = dict(files), limits, layers, tuple(warm_up_calls)
        self._server: ForkServer | None = None
        self._child: Child | None = None
        self.starts = 0  # how often a server was started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def layers(self) -> Isolation:
        """The isolation layers in use. Raises CourseError if there are none and the caller did not ask for none."""
        if self._layers is None:
            self._layers = isolation.require()
        return self._layers

    def start(self) -> None:
        """Start the server if it does not run. (``child`` calls this.)"""
        if self._server is None:
            self._server = self._started()
            self.starts += 1

    def _started(self) -> ForkServer:
        """A new server. One that filled the host cache is restarted: its children would print other memory addresses.

        Every later server reads the cache, and a cell that prints an address has to give the same in each.
        """
        server = ForkServer(self._files, asdict(self.limits), self.layers, self._warm_up_calls)
        if server.filled_cache:
            server.close()
            server = ForkServer(self._files, asdict(self.limits), self.layers, self._warm_up_calls)
        return server

    def child(self, files: Mapping[str, bytes] = {}) -> "Child":
        """Fork a process with a fresh shell, in a clean folder with the trusted files and the student ``files``."""
        if self._child is not None:
            raise RuntimeError("one child at a time: close the last one first")
        table, data, left_out = student_files.pack(files, self._files, self.limits.scratch_mib * MIB // 2)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.start()
                assert self._server is not None
                sock = self._server.fork(table, data)
                self._child = Child(self, self._server, sock, self.limits, left_out)
                return self._child
            except ServerLost as error:
                self.discard()
                if attempt == _ATTEMPTS:
                    raise CourseError(
                        "sandbox", f"no submission can be run ({error})", "run coursekit doctor"
                    ) from error
        raise AssertionError

    def discard(self) -> None:
        """End the server and everything in its sandbox; the next child gets a new one."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def close(self) -> None:
        """End the child, if there is one, and the server."""
        if self._child is not None:
            self._child.close()
        self.discard()

    def _over(self, server: ForkServer, clean: bool) -> None:
        self._child = None
        if server is self._server and (not clean or self.layers.fresh):
            self.discard()


class Child:
    """One submission. Closing it kills all its processes and deletes all its files."""

    def __init__(
        self,
        sandbox: Sandbox,
        server: ForkServer,
        sock: socket.socket,
        limits: ResourceLimits,
        left_out: tuple[str, ...],
    ) -> None:
        self._sandbox, self._server, self._limits = sandbox, server, limits
        self._socket = ChildSocket(sock, limits.reply_mib * MIB)
        self.left_out = left_out  # names of the rejected student files
        self._requests, self._lost, self._closed, self._born = 0, "", False, time.monotonic()
        self._events = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, request: Mapping[str, Any], timeout_s: float, grace_s: float = 2.0, helper: Helper | None = None
    ) -> Reply:
        """Send a request and wait for the reply.

        After ``timeout_s`` the request is interrupted, ``grace_s`` later the child is given up ("lost"). CPU steal time
        does not count, nor does the time in which ``helper`` answers calls of the child.
        """
        if self._lost or self._closed:
            return Reply("lost", why=self._lost or "the notebook is over")
        self._requests += 1
        most = min(self._limits.events, self._limits.all_events - self._events)
        collector, skipped = ReplyCollector(self._requests, self._limits, most), self._socket.skipped
        data = channel.encode({**request, "id": self._requests})
        reply = Request(self._server, self._socket, collector, data, timeout_s, grace_s, helper).reply()
        self._events += len(reply.events)
        self._lost = reply.why if reply.end == "lost" else ""
        return replace(reply, dropped=reply.dropped + self._socket.skipped - skipped)

    def cpu_steal_s(self) -> float:
        """CPU steal time since the child began; 0 when it is lost."""
        if self._lost or self._closed:
            return 0.0
        return cpu_steal_s(CpuUsage(), self._server.usage(), time.monotonic() - self._born)

    def close(self) -> None:
        """Kill all processes of the child and delete all its files."""
        if not self._closed:
            self._closed = True
            clean = self._server.end()
            self._socket.close()
            self._sandbox._over(self._server, clean)

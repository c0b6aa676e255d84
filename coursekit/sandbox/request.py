"""One request to a child and its reply: non-blocking I/O, an interrupt at the timeout, then giving up the child."""

import select
import socket
import time
from collections.abc import Callable
from typing import Any

from coursekit.sandbox.fork_server import ForkServer
from coursekit.sandbox.guest import channel, helpers
from coursekit.sandbox.reply import Reply, ReplyCollector
from coursekit.sandbox.timeouts import LoadAwareTimeout

_EXIT_REASON_S = 3.0  # how long to wait for the server's exit reason after the child's socket is closed
_CALL = f'{{"{helpers.CALL}":'.encode()
Helper = Callable[[dict[str, Any], int], dict[str, Any]]  # (call, its size in bytes) -> answer; never raises
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class ChildSocket:
    """The socket to a child. It returns whole lines; no method blocks or raises.

    ``early`` holds lines that belong to the next reply: threads of a notebook also write between two requests.
    """

    def __init__(self, sock: socket.socket, max_line_bytes: int) -> None:
        self._socket, self._lines = sock, channel.LineBuffer(max_line_bytes)
        self.early: list[bytes] = []

    def fileno(self) -> int:
        """For ``poll``."""
        return self._socket.fileno()

    @property
    def skipped(self) -> int:
        """The number of lines that were dropped because they were too long."""
        return self._lines.skipped

    def send(self, data: memoryview) -> memoryview:
        """Send as much as possible; returns the unsent rest."""
        try:
            return data[self._socket.send(data, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return data
        except OSError:  # the child closed its end: ``receive`` will notice
            return data[:0]

    def receive(self) -> tuple[int, list[bytes]]:
        """The number of bytes received (0: the socket is closed), and the lines that they complete."""
        try:
            data = self._socket.recv(channel.CHUNK_BYTES, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        return len(data), self._lines.feed(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Request:
    """One request to a child, until its reply is complete, the time is over or the child is lost."""

    def __init__(
        self,
        server: ForkServer,
        child_socket: ChildSocket,
        collector: ReplyCollector,
        data: bytes,
        timeout_s: float,
        grace_s: float,
        helper: Helper | None = None,
    ) -> None:
        self._server, self._child_socket, self._collector, self._helper = server, child_socket, collector, helper
        self._unsent = memoryview(data)
        self._timeout_s, self._grace_s = timeout_s, grace_s
        self._timeout = LoadAwareTimeout(server.usage, timeout_s)
        self._interrupted = ""  # why the cell was interrupted
        self._exit_reason = ""  # why the child ended; empty while it runs
        self._server_readable = True  # whether the server may have sent an exit reason that is not read yet
        self._poll = select.poll()
        self._poll.register(child_socket, select.POLLIN | select.POLLOUT)
        self._poll.register(server.control, select.POLLIN)

    def reply(self) -> Reply:
        """Wait for the reply. After ``timeout_s`` the cell is interrupted; ``grace_s`` later the child is given up."""
        self._take(self._child_socket.early)  # none of these lines can be the end of this reply
        self._child_socket.early = []
        while True:
            reply = self._step()
            if reply is not None:
                return reply

    def _step(self) -> Reply | None:
        """Wait for one event and handle it; returns the reply if it is complete."""
        left_s = self._timeout.left_s()
        if left_s <= 0 or (self._collector.flooded and not self._interrupted):
            return self._stop(left_s)
        just_died = self._notice_death()
        ready = dict(self._poll.poll(0 if just_died else max(1.0, left_s * 1000)))
        if not self._exit_reason and self._server.control.fileno() in ready:
            self._server_readable = True
            return None
        happened = ready.get(self._child_socket.fileno(), 0)
        if happened & select.POLLOUT and self._unsent and not self._exit_reason:
            self._send()
        if happened & _READABLE:
            return self._receive()
        return self._lost(self._exit_reason) if self._exit_reason else None

    def _stop(self, left_s: float) -> Reply | None:
        """Interrupt the cell; give up a child that has ended, or that was already interrupted."""
        if self._exit_reason and left_s <= 0:
            return self._lost(self._exit_reason)
        if self._interrupted:
            return self._lost(f"{self._interrupted}, and it did not stop when it was told to")
        self._interrupted = self._collector.flooded or f"it ran for {self._timeout_s:g} s"
        self._server.interrupt()
        self._timeout = LoadAwareTimeout(self._server.usage, self._grace_s)
        return None

    def _notice_death(self) -> bool:
        """Whether the server has just sent the child's exit reason. What the child wrote before is still read."""
        may_be_known = not self._exit_reason and (self._server_readable or self._server.unread)
        self._server_readable = False
        exit_reason = self._server.exit_reason() if may_be_known else ""
        if exit_reason:
            self._poll.unregister(self._server.control)
            self._exit_reason, self._timeout = exit_reason, LoadAwareTimeout(self._server.usage, self._grace_s)
        return bool(exit_reason)

    def _send(self) -> None:
        self._unsent = self._child_socket.send(self._unsent)
        if not self._unsent:
            self._poll.modify(self._child_socket, select.POLLIN)

    def _receive(self) -> Reply | None:
        size, lines = self._child_socket.receive()
        if self._take(lines):
            return self._collector.reply("timeout" if self._interrupted else "done", self._interrupted)
        self._collector.count(size)
        if size:
            return None
        return self._lost(
            self._exit_reason or self._server.exit_reason(_EXIT_REASON_S) or "it closed its line to the grader"
        )

    def _take(self, lines: list[bytes]) -> bool:
        """Collect lines; returns whether they complete the reply. The lines after its end belong to the next reply."""
        for index, line in enumerate(lines):
            if self._helper is not None and line.startswith(_CALL) and (call := channel.parse(line)):
                self._help(self._helper, call, len(line))
            elif self._collector.take(line):
                self._child_socket.early = lines[index + 1 :]
                return True
        return False

    def _help(self, helper: Helper, call: dict[str, Any], size: int) -> None:
        """Answer a call of a helper. The wait is bounded by ``helper``, and does not count as the child's time.

        On a busy computer the way to the child and back takes about as long as the answer, and does not count either.
        """
        began = time.monotonic()
        answer = channel.encode(helper(call, size))
        self._timeout.exclude(2 * (time.monotonic() - began))
        self._unsent = memoryview(bytes(self._unsent) + answer)
        self._poll.modify(self._child_socket, select.POLLIN | select.POLLOUT)

    def _lost(self, why: str) -> Reply:
        return self._collector.reply("lost", why)

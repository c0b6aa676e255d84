"""One request to a child and its reply: sent and received without ever blocking, interrupted, given up."""

import select
import socket

from coursekit.sandbox.fork_server import Server
from coursekit.sandbox.guest import channel
from coursekit.sandbox.reply import Reply, ReplyCollector
from coursekit.sandbox.timeouts import Patience

_EXIT_REASON_S = 3.0  # within which the server says how the child died whose line is closed
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class Line:
    """The socket to a child. Whole lines come out of it; no call blocks, and none raises.

    ``early`` are lines that belong to the next reply: threads of a notebook write between two requests as well.
    """

    def __init__(self, sock: socket.socket, max_line_bytes: int) -> None:
        self._socket, self._lines = sock, channel.Lines(max_line_bytes)
        self.early: list[bytes] = []

    def fileno(self) -> int:
        """For ``poll``."""
        return self._socket.fileno()

    @property
    def skipped(self) -> int:
        """How many lines were too long to be kept."""
        return self._lines.skipped

    def send(self, data: memoryview) -> memoryview:
        """What of the data is not sent yet."""
        try:
            return data[self._socket.send(data, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return data
        except OSError:  # the child closed its end: the reading side will notice
            return data[:0]

    def receive(self) -> tuple[int, list[bytes]]:
        """How many bytes there were (none: the line is closed), and the lines that they complete."""
        try:
            data = self._socket.recv(channel.CHUNK_BYTES, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        return len(data), self._lines.feed(data)

    def close(self) -> None:
        """The socket is closed."""
        self._socket.close()


class Request:
    """One request to a child, until its reply is complete, the time is over or the child is lost."""

    def __init__(
        self, server: Server, line: Line, collector: ReplyCollector, data: bytes, timeout_s: float, grace_s: float
    ) -> None:
        self._server, self._line, self._collector = server, line, collector
        self._unsent = memoryview(data)
        self._timeout_s, self._grace_s = timeout_s, grace_s
        self._patience = Patience(server.usage, timeout_s)
        self._interrupted = ""  # why the cell was interrupted
        self._died = ""  # how the child died
        self._news = True  # whether the server may have said since that the child died
        self._poll = select.poll()
        self._poll.register(line, select.POLLIN | select.POLLOUT)
        self._poll.register(server.control, select.POLLIN)

    def reply(self) -> Reply:
        """The reply. After ``timeout_s`` the cell is interrupted; ``grace_s`` later the child is given up."""
        self._take(self._line.early)  # the end of this reply cannot be among these lines yet
        self._line.early = []
        while True:
            reply = self._step()
            if reply is not None:
                return reply

    def _step(self) -> Reply | None:
        """Wait until something happens, and react to it; the reply, where that is its end."""
        left_s = self._patience.left_s()
        if left_s <= 0 or (self._collector.flooded and not self._interrupted):
            return self._stop(left_s)
        just_died = self._notice_death()
        ready = dict(self._poll.poll(0 if just_died else max(1.0, left_s * 1000)))
        if not self._died and self._server.control.fileno() in ready:
            self._news = True
            return None
        happened = ready.get(self._line.fileno(), 0)
        if happened & select.POLLOUT and self._unsent and not self._died:
            self._send()
        if happened & _READABLE:
            return self._receive()
        return self._lost(self._died) if self._died else None

    def _stop(self, left_s: float) -> Reply | None:
        """Interrupt the cell; give up a child that is dead, or was interrupted before."""
        if self._died and left_s <= 0:
            return self._lost(self._died)
        if self._interrupted:
            return self._lost(f"{self._interrupted}, and it did not stop when it was told to")
        self._interrupted = self._collector.flooded or f"it ran for {self._timeout_s:g} s"
        self._server.interrupt()
        self._patience = Patience(self._server.usage, self._grace_s)
        return None

    def _notice_death(self) -> bool:
        """Whether the server has just said how the child died; what the child had written before is still read."""
        look = not self._died and (self._news or self._server.unread)
        self._news = False
        died = self._server.obituary() if look else ""
        if died:
            self._poll.unregister(self._server.control)
            self._died, self._patience = died, Patience(self._server.usage, self._grace_s)
        return bool(died)

    def _send(self) -> None:
        self._unsent = self._line.send(self._unsent)
        if not self._unsent:
            self._poll.modify(self._line, select.POLLIN)

    def _receive(self) -> Reply | None:
        size, lines = self._line.receive()
        if self._take(lines):
            return self._collector.reply("timeout" if self._interrupted else "done", self._interrupted)
        self._collector.count(size)
        if size:
            return None
        return self._lost(self._died or self._server.obituary(_EXIT_REASON_S) or "it closed its line to the grader")

    def _take(self, lines: list[bytes]) -> bool:
        """Whether the last line of the reply is among these. The lines behind it belong to the next reply."""
        for index, line in enumerate(lines):
            if self._collector.take(line):
                self._line.early = lines[index + 1 :]
                return True
        return False

    def _lost(self, why: str) -> Reply:
        return self._collector.reply("lost", why)

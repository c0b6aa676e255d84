"""The way out of the sandbox for everything that a cell shows: one queue, in the order in which it was written.

Text comes in through ``sys.stdout`` and ``sys.stderr``, and through the descriptors 1 and 2, to which subprocesses and
C code write: these lead to two nameless files, so that nobody can ever be blocked by them and no thread has to listen.
"""

import fcntl
import io
import os
import signal
import tempfile
import threading
import time
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]
NAMES = ("stdout", "stderr")
BUDGET_CHARS = 2_000_000  # of text in one cell; the grader outside cuts long before that
IDLE_CHARS = 50_000  # of text that threads write between two cells
CHUNK_CHARS = 1 << 16
PROMPT_SENDS = 100  # so many pieces of a cell go out at once: what a dying child wrote last should be seen
INTERVAL_S = 0.1  # after that, text is gathered for so long
_READ_BYTES = 1 << 20


class Descriptor:
    """Descriptor 1 or 2 leads to a nameless file, whose growth is what was written there."""

    def __init__(self, number: int, folder: str) -> None:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
            os.dup2(file.fileno(), number)
            self._file = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 100)  # out of the way of numbers that students use
        self._inode = os.fstat(self._file).st_ino
        self._position = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def size(self) -> int:
        """The bytes not yet read; none where the student's code closed our file."""
        try:
            found = os.fstat(self._file)
        except OSError:
            return 0
        return max(0, found.st_size - self._position) if found.st_ino == self._inode else 0

    def read(self) -> str:
        """What was written since the last call. Beyond the budget of a cell it is passed over, unread."""
        unread = self.size()
        try:
            data = os.pread(self._file, min(unread, BUDGET_CHARS), self._position)
            self._position += unread
            if self._position > _READ_BYTES:
                os.ftruncate(self._file, 0)
                self._position = 0
        except OSError:
            return ""
        return self._decoder.decode(data)


class OutputPublisher:
    """Sends what is shown, in order and one event at a time, whatever threads, signals and finalizers do meanwhile."""

    def __init__(self, send: Callable[[Event], None], folder: str | None = None) -> None:
        self._send = send
        self._queue: deque[tuple[str, str] | Event] = deque()
        self._lock = threading.RLock()  # a signal handler may come in between taking it and saying whose it is
        self._owner: int | None = None
        self._pid = os.getpid()
        self._descriptors: dict[str, Descriptor] = {}
        if folder is not None:
            self._descriptors = {name: Descriptor(number, folder) for number, name in enumerate(NAMES, start=1)}
        self.open()
        self.close()

    def open(self) -> None:
        """A cell begins: what is shown goes out, up to the budget of a cell."""
        self._running, self._budget = True, BUDGET_CHARS
        self._sends, self._sent_s, self._gathered = 0, time.monotonic(), 0
        self._written: set[str] = set()
        self._flushed: set[str] = set()

    def close(self) -> None:
        """The cell is over: what threads still write waits for the next, up to a small bound; displays are lost."""
        self._running, self._budget, self._gathered = False, IDLE_CHARS, 0

    def write(self, name: str, text: str) -> None:
        """Take a piece of a stream; it goes out soon."""
        if os.getpid() != self._pid:  # a fork of the student's: its parent reads what it leaves in the file
            _write_all(NAMES.index(name) + 1, text)
            return
        self._collect()
        self._add(name, text)
        if self._running and (
            (self._sends < PROMPT_SENDS and "\n" in text)
            or self._gathered >= CHUNK_CHARS
            or time.monotonic() - self._sent_s > INTERVAL_S
        ):
            self.flush()

    def emit(self, event: Event) -> None:
        """Send an event, after all that was written before it."""
        if self._running and os.getpid() == self._pid:
            self._collect()
            self._queue.append(event)
            if "clear" in event:
                self._written, self._flushed = set(), set()
            self.flush()

    def flush(self, name: str | None = None) -> None:
        """Everything written so far is sent.

        With ``name``, that stream was flushed by the cell itself: a kernel shows it there, and not behind what it would
        show first otherwise. (Only where it shows it first matters: there the whole stream will stand.)
        """
        if not self._running or os.getpid() != self._pid:
            return
        self._collect()
        if name in self._written - self._flushed:
            self._flushed.add(name)
            self._queue.append({"flush": name})
        with self._exclusively() as mine:
            while mine and self._queue:
                self._sends, self._sent_s, self._gathered = self._sends + 1, time.monotonic(), 0
                self._send(self._next())

    def _add(self, name: str, text: str) -> None:
        text = text[: self._budget]
        if text:
            self._budget -= len(text)
            self._gathered += len(text)
            self._written.add(name)
            self._queue.append((name, text))

    def _collect(self) -> None:
        """Take over what came through the descriptors."""
        if any(descriptor.size() for descriptor in self._descriptors.values()):
            with self._exclusively() as mine:
                for name, descriptor in self._descriptors.items() if mine else ():
                    self._add(name, descriptor.read())

    def _next(self) -> Event:
        """The next event of the queue; pieces of the same stream that follow one another are one event."""
        first = self._queue.popleft()
        if isinstance(first, dict):
            return first
        name, text = first
        pieces, length = [text[:CHUNK_CHARS]], len(text)
        if length > CHUNK_CHARS:
            self._queue.appendleft((name, text[CHUNK_CHARS:]))
        while length < CHUNK_CHARS and self._queue and isinstance(self._queue[0], tuple) and self._queue[0][0] == name:
            _, more = self._queue.popleft()
            fits = CHUNK_CHARS - length
            pieces.append(more[:fits])
            length += len(more)
            if more[fits:]:
                self._queue.appendleft((name, more[fits:]))
        return {"output": {"output_type": "stream", "name": name, "text": "".join(pieces)}}

    @contextmanager
    def _exclusively(self) -> Iterator[bool]:
        """One thread at a time, and no KeyboardInterrupt within; False where this very thread is inside already.

        (A finalizer or a signal handler that prints comes in a second time; the first one sends what it leaves.)
        """
        if self._owner == threading.get_ident():
            yield False
            return
        with uninterrupted(), self._lock:
            self._owner = threading.get_ident()
            try:
                yield True
            finally:
                self._owner = None


class OutStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a cell. Named as in ipykernel: error messages tell the name."""

    encoding = "UTF-8"

    def __init__(self, name: str, publisher: OutputPublisher, discard_fd: int) -> None:
        self.name = f"<{name}>"
        self._stream, self._publisher, self._discard_fd = name, publisher, discard_fd

    def write(self, string: str) -> int:
        """Show the text."""
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        self._publisher.write(self._stream, string)
        return len(string)

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def flush(self) -> None:
        """All that was written is sent."""
        self._publisher.flush(self._stream)

    def fileno(self) -> int:
        """A descriptor whose output nobody sees: ipykernel gives out that of its own terminal."""
        return self._discard_fd


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A SIGINT that comes within takes effect behind the block. (Masking it would not do: other threads receive it.)"""
    if threading.get_ident() != threading.main_thread().ident:
        yield
        return
    came: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if came and callable(previous):
        previous(came[0], None)


def _write_all(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(descriptor, data) :]

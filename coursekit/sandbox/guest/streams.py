"""Output publisher: sends everything that a cell shows out of the sandbox, through one queue, in its order.

Text arrives through ``sys.stdout`` and ``sys.stderr``, and through the descriptors 1 and 2, to which subprocesses and C
code write. Those are unnamed temporary files, so that no writer ever blocks and no thread has to read from a pipe.
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
BUDGET_CHARS = 2_000_000  # of text in one cell; the grader's limits are much lower
IDLE_CHARS = 50_000  # of text that threads write between two cells
CHUNK_CHARS = 1 << 16
PROMPT_SENDS = 100  # this many pieces per cell are sent at once, so that a child that dies has sent its last words
INTERVAL_S = 0.1  # after that, text is collected for this long before it is sent
_READ_BYTES = 1 << 20


class Descriptor:
    """Captures descriptor 1 or 2: redirects it to an unnamed file, and reads what is appended."""

    def __init__(self, number: int, folder: str) -> None:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
            os.dup2(file.fileno(), number)
            self._file = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 100)  # above the numbers that student code may use
        self._inode = os.fstat(self._file).st_ino
        self._position = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def size(self) -> int:
        """The number of unread bytes; 0 if the student's code has closed the file."""
        try:
            found = os.fstat(self._file)
        except OSError:
            return 0
        return max(0, found.st_size - self._position) if found.st_ino == self._inode else 0

    def read(self) -> str:
        """The text since the last call; text beyond the budget of a cell is skipped."""
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
    """Sends outputs in order, one event at a time; safe against threads, signal handlers and finalizers."""

    def __init__(self, send: Callable[[Event], None], folder: str | None = None) -> None:
        self._send = send
        self._queue: deque[tuple[str, str] | Event] = deque()
        self._lock = threading.RLock()  # a signal handler may run between acquiring it and setting ``_owner``
        self._owner: int | None = None
        self._pid = os.getpid()
        self._descriptors: dict[str, Descriptor] = {}
        if folder is not None:
            self._descriptors = {name: Descriptor(number, folder) for number, name in enumerate(NAMES, start=1)}
        self.open()
        self.close()

    def open(self) -> None:
        """Begin a cell: publish outputs, up to the budget of a cell."""
        self._running, self._budget = True, BUDGET_CHARS
        self._sends, self._sent_s, self._gathered = 0, time.monotonic(), 0
        self._written: set[str] = set()
        self._flushed: set[str] = set()

    def close(self) -> None:
        """End a cell: a little text of threads is kept for the next cell; their displays are discarded."""
        self._running, self._budget, self._gathered = False, IDLE_CHARS, 0

    def write(self, name: str, text: str) -> None:
        """Add text to a stream; it is sent soon."""
        if os.getpid() != self._pid:  # in a process that the student's code forked: its parent reads the file
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
        """Send an event, after all text that was written before it."""
        if self._running and os.getpid() == self._pid:
            self._collect()
            self._queue.append(event)
            if "clear" in event:
                self._written, self._flushed = set(), set()
            self.flush()

    def flush(self, name: str | None = None) -> None:
        """Send everything written so far.

        With ``name``, the cell itself flushed that stream: a kernel then places the stream here, and not after a later
        display. (Only the first place matters: all text of the stream is shown there.)
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
        """Add the text that arrived through the descriptors to the queue."""
        if any(descriptor.size() for descriptor in self._descriptors.values()):
            with self._exclusively() as mine:
                for name, descriptor in self._descriptors.items() if mine else ():
                    self._add(name, descriptor.read())

    def _next(self) -> Event:
        """The next event of the queue; successive pieces of the same stream are joined."""
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
        """A critical section without KeyboardInterrupt; yields False if this thread is in it already.

        (A finalizer or signal handler that prints enters it again; the outer call then sends its text.)
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
    """``sys.stdout`` or ``sys.stderr`` of a cell. Named as in ipykernel: error messages show the name."""

    encoding = "UTF-8"

    def __init__(self, name: str, publisher: OutputPublisher, discard_fd: int) -> None:
        self.name = f"<{name}>"
        self._stream, self._publisher, self._discard_fd = name, publisher, discard_fd

    def write(self, string: str) -> int:
        """Publish the text."""
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        self._publisher.write(self._stream, string)
        return len(string)

    def writable(self) -> bool:
        """Always True."""
        return True

    def flush(self) -> None:
        """Send all text that was written."""
        self._publisher.flush(self._stream)

    def fileno(self) -> int:
        """A descriptor whose output is discarded. (ipykernel returns that of its own terminal.)"""
        return self._discard_fd


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay a SIGINT until the end of the block. (Blocking it would not work: other threads would receive it.)"""
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

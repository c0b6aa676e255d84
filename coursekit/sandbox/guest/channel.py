"""JSON lines on a socket, one object per line. Both the grader and the guest use this module.

A student's code may have written any of the bytes that come out of the sandbox: ``LineBuffer`` and ``parse`` accept
any bytes in any order, never raise, and use bounded memory.
"""

import json
import math
import socket
import threading
from typing import Any

CHUNK_BYTES = 1 << 18
MAX_DEPTH = 40  # outputs and observations nest less than ten deep
MAX_PARTS = 100_000  # lists and objects in one line: each takes thirty times the memory of its brackets
MAX_DIGITS = 40


def encode(message: dict[str, Any]) -> bytes:
    """The message as one line."""
    return json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def parse(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None if it is no object, is nested too deeply or has numbers out of bounds."""
    if line.count(b"[") + line.count(b"{") > MAX_PARTS:
        return None
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_refuse, parse_float=_float, parse_int=_int)
    except (ValueError, RecursionError, MemoryError):
        return None
    return message if isinstance(message, dict) and _is_shallow(message) else None


def _refuse(text: str) -> float:
    raise ValueError(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(text[:MAX_DIGITS])
    return int(text)


def _is_shallow(message: dict[str, Any]) -> bool:
    level: list[Any] = [message]
    for _ in range(MAX_DEPTH):
        parts: list[Any] = []
        for one in level:
            parts.extend(one.values() if isinstance(one, dict) else one)
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return True
    return False


class LineBuffer:
    """Splits received bytes into lines; a line longer than ``max_line_bytes`` is dropped and counted in ``skipped``."""

    def __init__(self, max_line_bytes: int) -> None:
        self._max, self._parts, self._size, self.skipped = max_line_bytes, [], 0, 0  # type: int, list[bytes], int, int

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes."""
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            self._add(end)
            if self._size > self._max:
                self.skipped += 1
            else:
                lines.append(b"".join(self._parts))
            self._parts, self._size = [], 0
        self._add(rest)
        return lines

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max:
            self._parts = []  # only the length is kept, so that the rest of this line is dropped too
        elif part:
            self._parts.append(part)


class Sender:
    """Sends whole lines, from any thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._lock = sock, threading.Lock()

    def __call__(self, message: dict[str, Any]) -> None:
        data = encode(message)
        with self._lock:
            self._socket.sendall(data)


class Receiver:
    """Receives the messages of a trusted peer. An exception in a signal handler leaves it as it was."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._pending = sock, bytearray()

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the peer has closed the channel."""
        while (end := self._pending.find(b"\n")) < 0:
            data = self._socket.recv(CHUNK_BYTES)
            if not data:
                return None
            self._pending += data
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        message: dict[str, Any] = json.loads(line)
        return message

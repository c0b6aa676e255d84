"""The control socket of the fork server: JSON lines, some of them with file descriptors."""

import json
import socket
from typing import Any

from . import channel

_CHUNK_BYTES = 1 << 16


class Control:
    """The server's end of the socket. The peer is trusted."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def fileno(self) -> int:
        """For ``poll``."""
        return self._socket.fileno()

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """The next message and the descriptors that came with it; {} when the peer has closed the socket."""
        data, descriptors, _, _ = socket.recv_fds(self._socket, _CHUNK_BYTES, 2)
        while data and not data.endswith(b"\n"):
            if not (more := self._socket.recv(_CHUNK_BYTES)):
                return {}, []
            data += more
        return (json.loads(data) if data else {}), list(descriptors)

    def send(self, message: dict[str, Any]) -> None:
        """Send the message as one line."""
        self._socket.sendall(channel.encode(message))

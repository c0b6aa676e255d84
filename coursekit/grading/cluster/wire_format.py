"""The wire format: fields and files as bytes, for another process or computer. Nothing is unpickled.

Equal contents give equal bytes, so that a message is identified by its digest.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

_MAGIC = b"coursekit parcel 1\n"
_SIZE_BYTES = 8


def encode(fields: Mapping[str, Any], files: Mapping[str, bytes] = {}) -> bytes:
    """Encode a message; fields are JSON values, file names may consist of any bytes."""
    table = [[name, len(data)] for name, data in files.items()]
    header = json.dumps({"fields": fields, "files": table}, separators=(",", ":")).encode("ascii")
    return b"".join([_MAGIC, _size(header), header, *files.values()])


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Fields and files of a message. Raises ValueError if it is damaged or incomplete."""
    start = len(_MAGIC) + _SIZE_BYTES
    if not message.startswith(_MAGIC) or len(message) < start:
        raise ValueError("not a message")
    end = start + int.from_bytes(message[len(_MAGIC) : start], "big")
    header = json.loads(message[start:end])
    files = {}
    for name, size in header["files"]:
        files[name] = message[end : end + size]
        end += size
    if end != len(message):
        raise ValueError("a message with missing or surplus bytes")
    return header["fields"], files


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files below the folder. Raises ValueError for a name that leads out of it."""
    for name, data in files.items():
        path = path_inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def path_inside(folder: Path, name: str) -> Path:
    """The path of a file below the folder. Raises ValueError for a name that leads out of it."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ValueError(f"a name that leads out of its folder: {name!r}")
    return folder / path


def send(pipe: IO[bytes], message: bytes) -> None:
    """Write the message with its size to the pipe."""
    pipe.write(_size(message))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The next message from the pipe; None if the other side has ended, also in the middle of a message."""
    head = pipe.read(_SIZE_BYTES)
    size = int.from_bytes(head, "big")
    message = pipe.read(size) if len(head) == _SIZE_BYTES else b""
    return message if message and len(message) == size else None


def _size(data: bytes) -> bytes:
    return len(data).to_bytes(_SIZE_BYTES, "big")

"""Parcels: some fields and some files as bytes, for another process or another machine. Nothing of it is unpickled.

Equal contents are equal bytes, so that a message can be known by its digest.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

_MAGIC = b"coursekit parcel 1\n"
_SIZE_BYTES = 8


def encode(fields: Mapping[str, Any], files: Mapping[str, bytes] = {}) -> bytes:
    """The message; fields are what JSON can say, names of files may be made of any bytes."""
    table = [[name, len(data)] for name, data in files.items()]
    header = json.dumps({"fields": fields, "files": table}, separators=(",", ":")).encode("ascii")
    return b"".join([_MAGIC, _size(header), header, *files.values()])


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Its fields and its files. Raises ValueError for anything that is no whole message."""
    start = len(_MAGIC) + _SIZE_BYTES
    if not message.startswith(_MAGIC) or len(message) < start:
        raise ValueError("this is no message")
    end = start + int.from_bytes(message[len(_MAGIC) : start], "big")
    header = json.loads(message[start:end])
    files = {}
    for name, size in header["files"]:
        files[name] = message[end : end + size]
        end += size
    if end != len(message):
        raise ValueError("a message that breaks off, or goes on behind its end")
    return header["fields"], files


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """The files lie below the folder. Raises ValueError for a name that leads out of it."""
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
    """The message is in the pipe."""
    pipe.write(_size(message))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The next message out of the pipe; None where the other side has ended, be it in the middle of one."""
    head = pipe.read(_SIZE_BYTES)
    size = int.from_bytes(head, "big")
    message = pipe.read(size) if len(head) == _SIZE_BYTES else b""
    return message if message and len(message) == size else None


def _size(data: bytes) -> bytes:
    return len(data).to_bytes(_SIZE_BYTES, "big")

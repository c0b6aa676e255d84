"""Parcels: some fields and some files as bytes, for another process or another machine. Nothing of it is unpickled.

Equal contents are equal bytes, so that a parcel can be known by its digest.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

_MARK = b"coursekit parcel 1\n"
_SIZE_BYTES = 8


def packed(fields: Mapping[str, Any], files: Mapping[str, bytes] = {}) -> bytes:
    """The parcel; fields are what JSON can say, names of files may be made of any bytes."""
    table = [[name, len(data)] for name, data in files.items()]
    header = json.dumps({"fields": fields, "files": table}, separators=(",", ":")).encode("ascii")
    return b"".join([_MARK, _size(header), header, *files.values()])


def unpacked(parcel: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Its fields and its files. Raises ValueError for anything that is no whole parcel."""
    start = len(_MARK) + _SIZE_BYTES
    if not parcel.startswith(_MARK) or len(parcel) < start:
        raise ValueError("this is no parcel")
    end = start + int.from_bytes(parcel[len(_MARK) : start], "big")
    header = json.loads(parcel[start:end])
    files = {}
    for name, size in header["files"]:
        files[name] = parcel[end : end + size]
        end += size
    if end != len(parcel):
        raise ValueError("a parcel that breaks off, or goes on behind its end")
    return header["fields"], files


def put(files: Mapping[str, bytes], folder: Path) -> None:
    """The files lie below the folder. Raises ValueError for a name that leads out of it."""
    for name, data in files.items():
        path = inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def inside(folder: Path, name: str) -> Path:
    """The path of a file below the folder. Raises ValueError for a name that leads out of it."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ValueError(f"a name that leads out of its folder: {name!r}")
    return folder / path


def send(pipe: IO[bytes], parcel: bytes) -> None:
    """The parcel is in the pipe."""
    pipe.write(_size(parcel))
    pipe.write(parcel)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The next parcel out of the pipe; None where the other side has ended, be it in the middle of one."""
    head = pipe.read(_SIZE_BYTES)
    size = int.from_bytes(head, "big")
    parcel = pipe.read(size) if len(head) == _SIZE_BYTES else b""
    return parcel if parcel and len(parcel) == size else None


def _size(data: bytes) -> bytes:
    return len(data).to_bytes(_SIZE_BYTES, "big")

"""Selects the student files that go into the sandbox; names are relative to the notebook's folder."""

from collections.abc import Collection, Mapping
from importlib.machinery import all_suffixes
from pathlib import PurePosixPath

_IMPORTABLE = tuple({*all_suffixes(), ".py", ".pyc", ".pyo", ".so", ".pyd", ".pth", ".egg-link"})
_MAX_PART_BYTES, _MAX_NAME_BYTES, _MAX_FILES = 200, 800, 1000


def pack(
    files: Mapping[str, bytes], trusted: Collection[str], max_bytes: int
) -> tuple[list[tuple[str, int]], bytes, tuple[str, ...]]:
    """The accepted files as a table of (name, size), their concatenated data, and the names of the rejected files.

    A file is rejected if Python could import it, if it lies outside the folder, if its path collides with a trusted
    file, or if it exceeds ``max_bytes`` in all.
    """
    reserved = {PurePosixPath(name) for name in trusted}
    reserved |= {parent for path in reserved for parent in path.parents}
    table: list[tuple[str, int]] = []
    data, left_out = bytearray(), []
    for name in sorted(files):
        fits = len(table) < _MAX_FILES and len(data) + len(files[name]) <= max_bytes
        if fits and is_harmless(name) and not _collides(PurePosixPath(name), reserved, trusted):
            table.append((name, len(files[name])))
            data += files[name]
        else:
            left_out.append(name)
    return table, bytes(data), tuple(left_out)


def is_harmless(name: str) -> bool:
    """Whether a file of this name stays below the notebook's folder and cannot be imported."""
    try:
        parts = [part.encode("utf-8") for part in name.split("/")]
    except UnicodeEncodeError:
        return False
    return (
        len(name.encode("utf-8")) <= _MAX_NAME_BYTES
        and not set(name) & {"\0", "\\"}
        and all(part not in (b"", b".", b"..") and len(part) <= _MAX_PART_BYTES for part in parts)
        and not name.lower().endswith(_IMPORTABLE)
    )


def _collides(path: PurePosixPath, reserved: set[PurePosixPath], trusted: Collection[str]) -> bool:
    return path in reserved or any(str(parent) in trusted for parent in path.parents)

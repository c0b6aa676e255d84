"""Atomic writes: whoever reads a file or a folder finds the earlier one or the new one, never half of it."""

import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yields the path of an empty file; what the block writes there is ``target`` when the block ends.

    Where the block raises, the earlier file stays and the new one is deleted. A file that is replaced keeps its
    permissions. Two processes that write the same target do not meet: each has a temporary file of its own, beside it.
    Raises OSError where nothing can be written there.
    """
    permissions = _permissions(target) if target.exists() else None
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    # Nobody else reads the new contents of a private file before they have its permissions.
    part.touch(0o666 if permissions is None else 0o600, exist_ok=False)
    try:
        yield part
        if permissions not in (None, _permissions(part)):  # not every file system knows chmod
            part.chmod(permissions)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(target: Path, data: bytes) -> None:
    """``target`` holds the data. Raises OSError where it cannot be written; an earlier file is then unchanged."""
    with replacing(target) as part:
        part.write_bytes(data)


def replace_folder(new: Path, target: Path, old: Path) -> None:
    """``new`` is at ``target``, and what was there is at ``old``; after a kill in between, there is nothing there.

    All three are on one disk. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        target.rename(old)
    new.rename(target)

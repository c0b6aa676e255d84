"""Atomic writes: a reader of a file or folder finds the earlier version or the new one, never half of it."""

import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield the path of an empty temporary file beside ``target``, which it replaces when the block ends.

    If the block raises, the earlier file stays and the temporary file is deleted. A replaced file keeps its
    permissions. Two processes that write the same target use different temporary files. Raises OSError if it cannot be
    written.
    """
    permissions = _permissions(target) if target.exists() else None
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    # The new contents of a private file stay unreadable for others until they have its permissions.
    part.touch(0o666 if permissions is None else 0o600, exist_ok=False)
    try:
        yield part
        if permissions not in (None, _permissions(part)):  # some file systems do not support chmod
            part.chmod(permissions)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(target: Path, data: bytes) -> None:
    """Replace the contents of ``target``. Raises OSError if that fails; an earlier file is then unchanged."""
    with replacing(target) as part:
        part.write_bytes(data)


def replace_folder(new: Path, target: Path, old: Path) -> None:
    """Move ``target`` to ``old``, and ``new`` to ``target``; after a kill in between, ``target`` does not exist.

    All three paths are on one file system. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        target.rename(old)
    new.rename(target)

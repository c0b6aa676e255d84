"""Folders appear whole or not at all."""

from pathlib import Path


def put(new: Path, target: Path, old: Path) -> None:
    """``new`` is at ``target``, what stood there is at ``old``; where this was stopped in between, neither is there.

    All three are on one disk.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        target.rename(old)
    new.rename(target)

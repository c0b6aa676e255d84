"""The files of a student's folder: listed without following links, read without blocking."""

import os
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from coursekit.model.errors import CourseError

CHECKPOINTS = ".ipynb_checkpoints"
MAX_ENTRIES, MAX_DEPTH, MAX_SHOWN = 5_000, 8, 80
JUNK_FOLDERS = ("__pycache__", "__MACOSX")
JUNK_FILES = ("Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Item:
    """A file as it was handed in: in the folder, or in an archive.

    ``path`` is relative to the folder or to the archive. ``read(limit)`` returns at most ``limit + 1`` bytes; it may
    raise OSError. ``archive`` is the name of the archive that contains it, if any, ``packed`` its size there.
    """

    path: PurePosixPath
    size: int
    modified: float
    read: Callable[[int], bytes]
    archive: str = ""
    packed: int = 0

    @property
    def name(self) -> str:
        """The name to show: relative to the folder, after the name of the archive if there is one."""
        return f"{self.archive}: {printable(self.path)}" if self.archive else printable(self.path)

    @property
    def checkpoint(self) -> bool:
        return CHECKPOINTS in self.path.parts


@dataclass(frozen=True)
class Listing:
    """The files of a folder, and what was not opened: its printable name and the reason."""

    files: tuple[Item, ...]
    refused: tuple[tuple[str, str], ...] = ()


def printable(path: PurePosixPath | Path | str) -> str:
    """The name as one printable line of bounded length, also if its bytes are not valid text."""
    text = os.fsencode(str(path)).decode("utf-8", "replace")
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 20]}…{text[-19:]}"


def is_junk(path: PurePosixPath) -> bool:
    """Whether an operating system or an editor made the file: hidden files, __MACOSX, caches."""
    hidden = any(part.startswith(".") and part != CHECKPOINTS for part in path.parts)
    return hidden or bool(set(JUNK_FOLDERS) & set(path.parts)) or path.name in JUNK_FILES


def listing(folder: Path) -> Listing:
    """Every regular file below the folder, breadth first. Raises CourseError if the folder cannot be opened."""
    if folder.is_symlink():
        raise CourseError(
            printable(folder.name), "a symbolic link in place of the folder", "hand in the files themselves"
        )
    files: list[Item] = []
    refused: list[tuple[str, str]] = []
    waiting = deque([PurePosixPath()])
    left = MAX_ENTRIES
    while waiting and left > 0:
        where = waiting.popleft()
        try:
            with os.scandir(folder / where) as found:
                entries = sorted(islice(found, left), key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            if not where.parts:
                raise CourseError(printable(folder.name), f"the folder cannot be opened ({error.strerror})",
                                  "check its permissions, then grade again") from None  # fmt: skip
            refused.append((printable(where), f"a folder that cannot be opened: {error.strerror}"))
            continue
        left -= len(entries)
        for entry in entries:
            path = where / entry.name
            if is_junk(path):
                continue
            kind, status = _status(entry)
            if kind == "folder" and len(path.parts) < MAX_DEPTH:
                waiting.append(path)
            elif kind == "file" and status is not None:
                files.append(Item(path, status.st_size, status.st_mtime, _reader(folder / path)))
            elif kind != "folder":
                refused.append((printable(path), kind))
    return Listing(tuple(files), tuple(refused))


def _status(entry: os.DirEntry[str]) -> tuple[str, os.stat_result | None]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return f"cannot be looked at: {error.strerror}", None
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link, not a file", status
    if stat.S_ISDIR(status.st_mode):
        return "folder", status
    return ("file" if stat.S_ISREG(status.st_mode) else "a pipe, socket or device, not a file"), status


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        # The file may have been replaced since the listing: follow no link, wait for no pipe.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(0, "not a file")
            return file.read(limit + 1)

    return read

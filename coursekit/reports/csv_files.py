"""CSV files: written atomically, without spreadsheet formulas; ``-`` is the standard output."""

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.system import atomic_write

STDOUT = Path("-")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # the first character of a formula in Excel, LibreOffice or Google Sheets


class Figure(str):
    """A formatted number; a leading minus does not make it a formula."""

    __slots__ = ()


def check(path: Path) -> None:
    """Raise CourseError if no file can be written there; called before any work is done."""
    folder = path.absolute().parent
    if path != STDOUT and (path.is_dir() or not folder.is_dir()):
        raise CourseError(path, "this is no place for a file", "name a file in a folder that exists")
    if path != STDOUT and not os.access(path if path.exists() else folder, os.W_OK):
        raise CourseError(path, "it cannot be written", "fix its permissions, or name another file")


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], excel: bool = False) -> int:
    """Write a table to a file by ``writer``; returns the number of lines below the header."""
    lines = [[_cell(value) for value in row] for row in (header, *rows)]
    with writer(path, excel) as file:
        file.writerows(lines)
    return len(lines) - 1


def _cell(value: Any) -> Any:
    """The value of a cell; an apostrophe before a text that would be a formula marks it as text for spreadsheets."""
    formula = isinstance(value, str) and not isinstance(value, Figure) and value.startswith(_FORMULA)
    return f"'{value}" if formula else value


@contextmanager
def writer(path: Path, excel: bool = False) -> Iterator[Any]:
    """Yield a ``csv.writer``; the file is written when the block ends. UTF-8, with commas.

    ``excel`` adds a byte order mark, without which Excel reads the file in the local 8-bit encoding.
    """
    text = io.StringIO(newline="")
    yield csv.writer(text)
    data = text.getvalue().encode("utf-8-sig" if excel else "utf-8", "backslashreplace")
    if path == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        _write(path.resolve(), data)
    except OSError as error:
        found = f"it cannot be written ({error.strerror or error})"
        raise CourseError(path, found, "make room, fix its permissions, or name another file") from None


def _write(path: Path, data: bytes) -> None:
    """Write atomically; but write into what is no regular file, such as /dev/stdout, instead of replacing it."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        atomic_write.write(path, data)

"""Tables as CSV files that a spreadsheet opens as they are meant: no cell of text is taken for a formula."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how one begins in Excel, LibreOffice or Google Sheets


class Figure(str):
    """A number, written as it is to be read; one below zero is no formula."""

    __slots__ = ()


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The file appears whole; returns the number of lines below the header."""
    lines = [[_cell(value) for value in row] for row in rows]
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer: Any = csv.writer(file)
        writer.writerow([_cell(name) for name in header])
        writer.writerows(lines)
    part.replace(path)
    return len(lines)


def _cell(value: Any) -> Any:
    """A figure as it is; a text that would be a formula behind an apostrophe, by which spreadsheets know a text."""
    formula = isinstance(value, str) and not isinstance(value, Figure) and value.startswith(_FORMULA)
    return f"'{value}" if formula else value

"""Tables for a terminal of any width: numbers are never cut, and texts never have too narrow a column.

A table that is wider than the terminal is shown in another form. Columns of numbers are split over several tables, one
below the other, each with the columns that identify a row (``repeat``). A table with long texts becomes a list of
records: the short cells on one line, the texts below it over the whole width.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from coursekit.reports.printable import printable

MIN_TEXT = 12  # characters; a narrower column of words is not readable
MIN_LONG_TEXT = 32  # characters; with a narrower column of sentences, records are easier to read
MAX_HEADER = 12
_INDENT = 4


@dataclass(frozen=True)
class Column:
    """``number``: never cut or broken. ``long``: sentences. ``repeat``: shown in every part of a split table."""

    header: str
    number: bool = False
    long: bool = False
    repeat: bool = False
    style: str = ""


class Table:
    """The part of ``rich.table.Table`` that is used here; it adapts to the width that ``Console.print`` gives it."""

    def __init__(self, title: str = "", caption: str | None = None, show_lines: bool = False) -> None:
        self._title, self._caption, self._show_lines = title, caption or "", show_lines
        self._columns: list[Column] = []
        self._rows: list[tuple[Text, ...]] = []

    def add_column(
        self, header: str, *, justify: str = "left", ratio: int | None = None, repeat: bool = False, style: str = ""
    ) -> None:
        """``justify="right"`` makes it a column of numbers, ``ratio`` one of sentences; ``repeat`` as in ``Column``."""
        self._columns.append(Column(header, justify == "right", ratio is not None, repeat, style))

    def add_row(self, *cells: str | Text) -> None:
        """A cell for every column."""
        self._rows.append(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells))

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, encoding = options.max_width, options.encoding
        columns = [replace(column, header=printable(column.header, encoding)) for column in self._columns]
        rows = [tuple(_printable(cell, encoding) for cell in row) for row in self._rows]
        sizes = [_natural(column, (row[n] for row in rows)) for n, column in enumerate(columns)]
        everything = range(len(columns))
        title, caption = printable(self._title, encoding), printable(self._caption, encoding)
        if _needed(columns, sizes, everything, width) <= width:
            parts = [list(everything)]
        elif any(column.long for column in columns):
            yield Text(title, style="italic")
            yield from _records(columns, rows)
            yield from [Text(caption, style="dim italic")] if caption else []
            return
        else:
            parts = _parts(columns, sizes, width)
        for number, part in enumerate(parts, start=1):
            yield Text(title + (f" ({number} of {len(parts)})" if len(parts) > 1 else ""), style="italic")
            yield self._whole(columns, rows, _widths(columns, sizes, part, width))
        if caption:
            yield Text(caption, style="dim italic")

    def _whole(self, columns: list[Column], rows: list[tuple[Text, ...]], widths: dict[int, int]) -> RichTable:
        table = RichTable(header_style="bold", pad_edge=False, show_lines=self._show_lines, box=box.HEAVY_HEAD)
        for place, width in widths.items():
            column = columns[place]
            table.add_column(
                Text(column.header),
                justify="right" if column.number else "left",
                style=column.style,
                width=width,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(row[place] for place in widths))
        return table


def _printable(cell: Text, encoding: str) -> Text:
    """The cell in the terminal's encoding; a cell has one style."""
    return Text(printable(cell.plain, encoding), style=cell.style)


def _natural(column: Column, cells: Iterable[Text]) -> int:
    """The width of the column without a limit."""
    header = max((cell_len(line) for line in column.header.split("\n")), default=0)
    widest = max((cell_len(line) for cell in cells for line in cell.plain.split("\n")), default=0)
    return max(1, widest, min(header, MAX_HEADER) if column.number else header)


def _least(column: Column, size: int, width: int) -> int:
    """The least width of the column in a table of this width."""
    if column.number:
        return min(size, width - 4)
    return min(size, MIN_LONG_TEXT if column.long else max(MIN_TEXT, width // 3))


def _needed(columns: Sequence[Column], sizes: Sequence[int], part: Iterable[int], width: int) -> int:
    """The least width of a table of some columns, borders included."""
    least = [_least(columns[place], sizes[place], width) for place in part]
    return sum(least) + 3 * len(least) - 1


def _widths(columns: Sequence[Column], sizes: Sequence[int], part: Sequence[int], width: int) -> dict[int, int]:
    """The width of every column of a part; spare width goes to names first, then to sentences."""
    widths = {place: _least(columns[place], sizes[place], width) for place in part}
    spare = width - _needed(columns, sizes, part, width)
    for place in sorted(part, key=lambda place: columns[place].long):
        more = max(0, min(spare, sizes[place] - widths[place]))
        widths[place] += more
        spare -= more
    return widths


def _parts(columns: Sequence[Column], sizes: Sequence[int], width: int) -> list[list[int]]:
    """The columns of each table: as few tables as possible, with about the same number of columns in each."""
    best = _filled(columns, sizes, width, width)
    for room in range(width - 1, 0, -1):
        narrower = _filled(columns, sizes, width, room)
        if len(narrower) > len(best):
            break
        best = narrower
    return best


def _filled(columns: Sequence[Column], sizes: Sequence[int], width: int, room: int) -> list[list[int]]:
    """The columns in their order, each table as full as ``room`` allows, with at least one column of its own."""
    repeated = [place for place, column in enumerate(columns) if column.repeat]
    own: list[list[int]] = [[]]
    for place, column in enumerate(columns):
        if not column.repeat:
            if own[-1] and _needed(columns, sizes, [*repeated, *own[-1], place], width) > room:
                own.append([])
            own[-1].append(place)
    return [sorted([*repeated, *part]) for part in own]


def _records(columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> Iterator[RenderableType]:
    """Every row as a record: its short cells on the first line, each long text on lines of its own below."""
    several = sum(column.long for column in columns) > 1
    for row in rows:
        first, texts = Text(), []
        for column, cell in zip(columns, row, strict=True):
            header = " ".join(column.header.split())
            words = Text(", ".join(cell.plain.split("\n")), style=cell.style)
            if column.long:
                texts.append(Text.assemble(f"{header}: " if several else "", Text(cell.plain, style=cell.style)))
            elif first:
                first += Text.assemble(" | ", f"{header} " if column.number else "", words)
            else:
                first += Text(words.plain, style="bold")
        yield first
        for text in texts:
            yield Padding(text, (0, 0, 0, _INDENT), expand=False)

"""Tables that commands print hold at any width: every mark is there in full, no line is too long, words have room."""

import io
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from coursekit.grading.gradebook import Mark, StudentMarks
from coursekit.model.wording import joined
from coursekit.reports import marks_table
from coursekit.reports.printable import printable
from coursekit.reports.tables import MIN_TEXT, Table

LETTERS = st.sampled_from("abcdefghij.-_éß学生번호")
NAMES = st.text(LETTERS, min_size=1, max_size=40)
MARKS = st.sampled_from(["0", "3", "10", "4.5", "12.25*?", "100", "–"])
SENTENCES = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=30).map(" ".join)


def shown(table, width, encoding="utf-8"):
    """The lines that a terminal of this width and encoding gets; an error where it cannot encode them."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    Console(width=width, file=file).print(table)
    file.flush()
    return raw.getvalue().decode(encoding).splitlines()


def cells(line):
    """The cells of a line of a table, in any box."""
    return [cell.strip() for cell in re.split("[┃│|]", line.strip("┃│|"))]


@st.composite
def grids(draw):
    """Students with a mark for every exercise, then a total, and some columns more."""
    exercises = draw(st.integers(1, 25))
    more = draw(st.lists(st.sampled_from(["penalty", "days late", "graded by"]), max_size=3, unique=True))
    names = draw(st.lists(NAMES, min_size=1, max_size=4))
    rows = [[draw(MARKS) for _ in range(exercises + 1 + len(more))] for _ in names]
    return names, exercises, more, rows


@settings(deadline=None, max_examples=50)
@given(grids(), st.integers(60, 200), st.sampled_from(["utf-8", "ascii", "latin-1", "cp1252"]))
def test_every_mark_and_every_total_is_there_in_full_and_no_line_is_too_long(grid, width, encoding):
    names, exercises, more, rows = grid
    table = Table(title="marks")
    table.add_column("student", repeat=True)
    for number in range(1, exercises + 1):
        table.add_column(f"e{number}\n/10", justify="right")
    table.add_column("total\n/100", justify="right", repeat=True)
    for column in more:
        table.add_column(column, justify="right")
    for name, row in zip(names, rows, strict=True):
        table.add_row(name, *row)

    lines = shown(table, width, encoding)

    assert max(map(cell_len, lines)) <= width
    many = sum(line.startswith(("marks", "marks (")) for line in lines)
    found = Counter(cell for line in lines for cell in cells(line)[1:])
    wanted = Counter(printable(mark, encoding) for row in rows for mark in row)
    totals = Counter(printable(row[exercises], encoding) for row in rows)
    for mark in wanted:
        assert found[mark] == wanted[mark] + (many - 1) * totals[mark]
    told = Counter("".join(cells(line)[0] for line in lines if len(cells(line)) > 1))
    assert told >= Counter(
        {letter: many * times for letter, times in Counter(printable("".join(names), encoding)).items()}
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(NAMES, NAMES, MARKS, SENTENCES), min_size=1, max_size=5), st.integers(60, 200))
def test_words_have_room_and_every_one_of_them_is_there(rows, width):
    table = Table(title="reasons", show_lines=True)
    table.add_column("student")
    table.add_column("exercise")
    table.add_column("mark", justify="right")
    table.add_column("reason", ratio=1)
    for row in rows:
        table.add_row(*row)

    lines = shown(table, width)

    assert max(map(cell_len, lines)) <= width
    text = "".join("".join(cells(line)) for line in lines)
    for *_, mark, reason in rows:
        assert mark in text
        assert Counter(text) >= Counter(reason.replace(" ", ""))
    rule = next((line for line in lines if line.startswith("┏")), None)
    if rule is not None:
        *_, words = (len(part) - 1 for part in rule.strip("┏┓").split("┳"))
        assert words >= min(MIN_TEXT, max(cell_len(row[-1]) for row in rows))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_marks_of_eighteen_exercises_hold_for_a_long_id(width):
    """At 80 columns this showed every total as ``1…``, at 60 every mark was empty."""
    marks = tuple(Mark(f"exercise-{number}", 3 + number / 4, 10) for number in range(18))
    lines = shown(marks_table.marks_table([StudentMarks("i" * 40, "digits", marks)], "digits"), width)
    found = {cell for line in lines for cell in cells(line)}
    assert {f"{mark.earned:g}" for mark in marks} <= found
    assert f"{sum(mark.earned for mark in marks):g}" in found
    assert not any("…" in line for line in lines)


def test_a_cell_moves_no_cursor_and_is_no_markup():
    table = Table()
    table.add_column("student")
    table.add_row("[red]\x1b[2J\ttab")
    assert "[red]\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}tab" in "\n".join(shown(table, 80))


def test_joined_names_can_be_taken_apart_again():
    """A name of an LMS may hold a comma or a semicolon; it is quoted as in a CSV file."""
    assert joined(["ada", "ben"]) == "ada, ben"
    assert joined(["Lovelace, Ada", 'the "B"', "c;d"]) == '"Lovelace, Ada", "the ""B""", c;d'
    assert joined(["Lovelace, Ada", "c;d"], "; ") == 'Lovelace, Ada; "c;d"'

"""Marks as tables: for the terminal (Rich) and for a spreadsheet (CSV)."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from coursekit import csv_files
from coursekit.gradebook import Mark, StudentMarks
from coursekit.tables import Table
from hidden_tests import exercises

if TYPE_CHECKING:
    from coursekit.regrading import Preview  # with the whole grader behind it, which `marks` does not need


def marks_table(marks: Iterable[StudentMarks], assignment: str, about: dict[str, str] | None = None) -> Table:
    """One row per student, one column per exercise; full marks are plain, lost ones stand out."""
    everybody = list(marks)
    cells = [mark.grade_id for mark in everybody[0].marks] if everybody else []
    points = {mark.grade_id: mark.points for student in everybody for mark in student.marks}
    table = Table(title=f"{assignment}: marks per exercise", caption=_legend(everybody))
    table.add_column("student", repeat=True)
    for number, cell in enumerate(cells, start=1):
        table.add_column(f"{number}\n/{points[cell]:g}", justify="right")
    table.add_column(f"total\n/{sum(points.values()):g}", justify="right", style="bold", repeat=True)
    if about:
        table.add_column("what was handed in")
    for student in everybody:
        by_cell = {mark.grade_id: mark for mark in student.marks}
        total = f"{student.earned:g}" if student.judged else "–"
        row = [Text(student.student), *(_mark(by_cell[cell]) for cell in cells), Text(total)]
        table.add_row(*row, *([Text(about[student.student])] if about else []))
    return table


def _legend(everybody: list[StudentMarks]) -> str | None:
    """What the signs in the table mean; only those that occur."""
    marks = [mark for student in everybody for mark in student.marks]
    signs = {
        "* set by a person": any(mark.manual for mark in marks),
        "? waits for a person": any(mark.waiting for mark in marks),
        "– not graded": not all(mark.judged for mark in marks),
    }
    return "   ".join(sign for sign, occurs in signs.items() if occurs) or None


def _mark(mark: Mark) -> Text:
    if not mark.judged:
        return Text("–", style="red")
    star = "*" * mark.manual + "?" * mark.waiting
    style = "" if mark.earned >= mark.points else "red" if not mark.earned else "yellow"
    return Text(f"{mark.earned:g}{star}", style=style)


def reasons_table(marks: Iterable[StudentMarks], assignment: str) -> Table:
    """Why marks were lost: one row per student and reason, the exercises with the same reason together."""
    names = {row.grade_id: f"{row.public.number} {row.function}" for row in exercises(assignment)}
    table = Table(title="Why marks were lost", show_lines=True)
    table.add_column("student")
    table.add_column("exercise")
    table.add_column("mark", justify="right")
    table.add_column("reason", ratio=1)
    for student in marks:
        lost = [mark for mark in student.marks if mark.earned < mark.points or not mark.judged]
        by_reason: dict[str, list[Mark]] = {}
        for mark in lost:
            by_reason.setdefault(mark.reason.removeprefix(_stub_of(mark, names)), []).append(mark)
        for reason, together in by_reason.items():
            every = len(together) > 3
            shown = together[0].reason if len(together) == 1 else f"each {reason}" if reason[:3] == "is " else reason
            which = (
                f"{len(together)} exercises"
                if every
                else "\n".join(names.get(m.grade_id, m.grade_id) for m in together)
            )
            total = f"{sum(m.earned for m in together):g} of {sum(m.points for m in together):g}"
            table.add_row(Text(student.student), Text(which), total, Text(shown or "(no reason given)"))
    return table


def preview_table(preview: "Preview", assignment: str) -> Table:
    """What grading again would change: one row per student and exercise."""
    names = {row.grade_id: f"{row.public.number} {row.function}" for row in exercises(assignment)}
    table = Table(title=f"{assignment}: marks that would change", show_lines=True)
    table.add_column("student")
    table.add_column("exercise")
    for column in ("now", "then", "total"):
        table.add_column(column, justify="right")
    table.add_column("why", ratio=1)
    for change in preview.changes:
        before = "–" if change.before is None else f"{change.before:g}"
        why = change.reason or "everything is right"
        if change.kept is not None:
            why = f"A person's mark of {change.kept:g} stays. {why}"
        table.add_row(
            Text(change.student),
            Text(names.get(change.grade_id, change.grade_id)),
            before,
            f"{change.after:g}",
            f"{change.difference:+g}" if change.kept is None else "stays",
            Text(why),
        )
    return table


def _stub_of(mark: Mark, names: dict[str, str]) -> str:
    """The part of "Exercise 3: linear_forward is not written yet." that differs from exercise to exercise."""
    number, _, function = names.get(mark.grade_id, "").partition(" ")
    return f"Exercise {number}: {function} "


def write_csv(marks: Iterable[StudentMarks], path: Path, excel: bool = False) -> int:
    """A line per student and assignment: student, assignment, a column per exercise, total, points. Returns lines.

    What was not graded stays empty: it is no zero.
    """
    everybody = list(marks)
    cells = list(dict.fromkeys(mark.grade_id for student in everybody for mark in student.marks))
    with csv_files.writer(path, excel) as writer:
        writer.writerow(["student", "assignment", *cells, "total", "points"])
        for student in everybody:
            by_cell = {mark.grade_id: f"{mark.earned:g}" for mark in student.marks if mark.judged}
            row = [by_cell.get(cell, "") for cell in cells]
            total = f"{student.earned:g}" if student.judged else ""
            writer.writerow([student.student, student.assignment, *row, total, f"{student.points:g}"])
    return len(everybody)

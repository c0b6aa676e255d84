"""Marks as tables: for the terminal (Rich) and for a spreadsheet (CSV)."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from coursekit.grading.student_marks import FINAL, NOT_GRADED, PENDING, UNREADABLE, Mark, StudentMarks, format_number
from coursekit.reference.assignments import Assignment
from coursekit.reports import csv_files
from coursekit.reports.tables import Table

if TYPE_CHECKING:
    from coursekit.grading.penalties import TotalChange
    from coursekit.grading.regrading import Preview  # imports the whole grader, which `marks` does not need


def marks_table(marks: Iterable[StudentMarks], assignment: str, about: dict[str, str] | None = None) -> Table:
    """One row per student, one column per exercise; lost marks are coloured."""
    everybody = list(marks)
    cells = [mark.grade_id for mark in everybody[0].marks] if everybody else []
    points = {mark.grade_id: mark.points for student in everybody for mark in student.marks}
    table = Table(title=f"{assignment}: marks per exercise", caption=_legend(everybody))
    table.add_column("student", repeat=True)
    for place, cell in enumerate(cells, start=1):
        table.add_column(f"{place}\n/{points[cell]:g}", justify="right")
    penalties = any(student.penalty for student in everybody)
    if penalties:
        table.add_column("late\npenalty", justify="right", repeat=True)
    table.add_column(f"total\n/{sum(points.values()):g}", justify="right", style="bold", repeat=True)
    remarks = any(student.remarks for student in everybody)
    if remarks:
        table.add_column("state")
    if about:
        table.add_column("what was handed in")
    for student in everybody:
        by_cell = {mark.grade_id: mark for mark in student.marks}
        row = [Text(student.student), *(_mark(by_cell[cell]) for cell in cells)]
        row += [Text(f"−{student.taken_off:g}" if student.taken_off else "")] if penalties else []
        row += [Text(_total(student)), *([Text("; ".join(student.remarks))] if remarks else [])]
        table.add_row(*row, *([Text(about[student.student])] if about else []))
    return table


def _total(student: StudentMarks) -> str:
    """The total; a dash if not graded, with a question mark while a person has to mark something."""
    if student.status == NOT_GRADED:
        return "–"
    return f"{student.total:g}{'?' * (student.status == PENDING)}"


def _legend(everybody: list[StudentMarks]) -> str | None:
    """The meaning of the signs that occur in the table."""
    marks = [mark for student in everybody for mark in student.marks]
    signs = {
        "* set by a person": any(mark.manual for mark in marks),
        "? waits for a person, the total is not final": any(mark.waiting for mark in marks),
        "– not graded": any(student.status == NOT_GRADED for student in everybody),
        "– nothing handed in": any(student.absent for student in everybody),
    }
    return "   ".join(sign for sign, occurs in signs.items() if occurs) or None


def _mark(mark: Mark) -> Text:
    if not mark.judged:
        return Text("–", style="red")
    if mark.unread:
        return Text("?", style="yellow")
    star = "*" * mark.manual + "?" * mark.waiting
    style = "" if mark.earned >= mark.points else "red" if not mark.earned else "yellow"
    return Text(f"{mark.earned:g}{star}", style=style)


def reasons_table(marks: Iterable[StudentMarks], assignment: Assignment) -> Table:
    """Why marks were lost: one row per student and reason, with all exercises for which it is the reason."""
    names = _names(assignment)
    table = Table(title="Why marks were lost", show_lines=True)
    table.add_column("student")
    table.add_column("exercise")
    table.add_column("mark", justify="right")
    table.add_column("reason", ratio=1)
    for student in marks:
        if student.absent or not any(mark.judged for mark in student.marks):
            continue  # the table of marks says it
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


def preview_table(preview: "Preview", assignment: Assignment) -> Table:
    """What grading again would change: one row per student and exercise."""
    names = _names(assignment)
    table = Table(title=f"{assignment.name}: marks that would change", show_lines=True)
    table.add_column("student")
    table.add_column("exercise")
    for column in ("now", "then", "total"):
        table.add_column(column, justify="right")
    table.add_column("why", ratio=1)
    for change in preview.changes:
        before = "–" if change.before is None else f"{change.before:g}"
        why = change.reason or ("everything is right" if change.after is not None else "waits for a person")
        if change.kept is not None:
            asked = ", and has to be confirmed" * change.review
            why = f"A person's mark of {change.kept:g} stays{asked}. {why}"
        table.add_row(
            Text(change.student),
            Text(names.get(change.grade_id, change.grade_id)),
            before,
            "?" if change.after is None else f"{change.after:g}",
            f"{change.difference:+g}" if change.kept is None else "stays",
            Text(why),
        )
    return table


def penalties_table(changes: Iterable["TotalChange"], assignment: str) -> Table:
    """The totals that only another late penalty would change: one row per student."""
    table = Table(title=f"{assignment}: totals that only another late penalty would change")
    table.add_column("student")
    for column in ("now", "then", "difference"):
        table.add_column(column, justify="right")
    for one in changes:
        table.add_row(
            Text(one.student), format_number(one.before), format_number(one.after), f"{one.after - one.before:+g}"
        )
    return table


def _names(assignment: Assignment) -> dict[str, str]:
    """Number and function of each exercise, by the id of its solution cell."""
    return {exercise.grade_id: f"{exercise.number} {exercise.function}" for exercise in assignment.exercises}


def _stub_of(mark: Mark, names: dict[str, str]) -> str:
    """The beginning of "Exercise 3: linear_forward is not written yet.", which is different for each exercise."""
    number, _, function = names.get(mark.grade_id, "").partition(" ")
    return f"Exercise {number}: {function} "


def write_csv(marks: Iterable[StudentMarks], path: Path, excel: bool = False) -> int:
    """Write a line per student and assignment, with the columns that ``docs/ONE_MARK.md`` lists. Returns their number.

    What was not graded, or waits for a first mark, is empty rather than zero.
    """
    everybody = list(marks)
    cells = list(dict.fromkeys(mark.grade_id for student in everybody for mark in student.marks))
    header = [*COLUMNS_BEFORE, *cells, *COLUMNS_AFTER]
    return csv_files.write(path, header, (_csv_row(student, cells) for student in everybody), excel)


COLUMNS_BEFORE = ("student", "assignment")
COLUMNS_AFTER = ("total", "points", "status", "pending", "sum", "extra_credit", "penalty", "submitted", "due",
          "extended_until", "late", "returned")  # fmt: skip


def _csv_row(student: StudentMarks, cells: list[str]) -> list[str]:
    by_cell = {mark.grade_id: _figure(mark.earned) for mark in student.marks if mark.judged and not mark.unread}
    graded = student.status in (FINAL, PENDING, UNREADABLE)
    late = int(student.late.total_seconds())
    return [
        student.student,
        student.assignment,
        *(by_cell.get(cell, "") for cell in cells),
        _figure(student.total) if graded or student.absent else "",
        _figure(student.points),
        student.status,
        " ".join(mark.grade_id for mark in student.pending),
        _figure(student.earned) if graded or student.absent else "",
        _figure(student.extra_credit) if graded else "",
        _figure(student.penalty) if graded else "",
        *(_iso(when) for when in (student.submitted, student.due, student.extended_until)),
        f"{late // 3600}:{late // 60 % 60:02}:{late % 60:02}" if student.late else "",
        _iso(student.returned.at if student.returned else None),
    ]


def _figure(value: float) -> csv_files.Figure:
    return csv_files.Figure(format_number(value))


def _iso(when: datetime | None) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}" if when else ""

"""The class report: marks, named mistakes and lost checks, from the verdicts in the autograded notebooks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from coursekit.grading.student_marks import FINAL, StudentMarks
from coursekit.marking import graded_verdicts
from coursekit.marking.graded_verdicts import GradedExercise, GradedVerdicts
from coursekit.model.course import Course
from coursekit.model.wording import joined
from coursekit.reports import csv_files
from coursekit.reports.tables import Table

FULL, PARTIAL, NONE = "full marks", "part of the marks", "no marks"


@dataclass(frozen=True)
class Count:
    """A named mistake or a lost check, with the students who made or lost it."""

    name: str
    students: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True)
class ExerciseReport:
    """One exercise over all submissions; the most frequent mistakes and lost checks come first.

    ``follows``: students whose error was carried forward from an earlier function and cost no points here.
    ``contradicted``: students whose function is right with recorded cases and wrong with twins.
    """

    number: int
    function: str
    points: float
    earned: Mapping[str, float]  # by student
    mistakes: tuple[Count, ...]
    lost: tuple[Count, ...]
    follows: tuple[str, ...]
    contradicted: tuple[str, ...] = ()

    def with_marks(self, which: str) -> tuple[str, ...]:
        """The students with full, partial or no marks."""
        return tuple(
            student
            for student, earned in self.earned.items()
            if which == (FULL if earned >= self.points else PARTIAL if earned > 0 else NONE)
        )

    @property
    def mean(self) -> float:
        return sum(self.earned.values()) / len(self.earned)


@dataclass(frozen=True)
class ClassReport:
    """The report on one assignment: the ``graded`` students; ``without``: students without verdicts, and why.

    ``states``: the students who are absent, late, penalised, pending, not graded or have it back, from the gradebook.
    """

    assignment: str
    graded: tuple[str, ...]
    without: Mapping[str, str]
    exercises: tuple[ExerciseReport, ...]
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_verdicts(course: Course, assignment: str) -> dict[str, GradedVerdicts | None]:
    """The verdicts of every autograded notebook, by student; None if a notebook has no current verdicts."""
    found: dict[str, GradedVerdicts | None] = {}
    for path in sorted(course.root.glob(f"autograded/*/{assignment}/{assignment}.ipynb")):
        try:
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        except (OSError, ValueError, KeyError, TypeError):
            metadata = None
        verdicts = graded_verdicts.of_notebook(metadata)
        found[path.parent.parent.name] = verdicts if verdicts.current else None
    return found


def summarise(
    assignment: str, verdicts: Mapping[str, GradedVerdicts | None], marks: Sequence[StudentMarks] = ()
) -> ClassReport:
    """The report of a class, from the verdicts by student and the ``marks`` in the gradebook, if there are any.

    A person's mark replaces the automatic one; mistakes and lost checks are those that the grader found.
    """
    final = {one.student for one in marks if one.status == FINAL}
    without = {
        student: (one.problem or "no exercise was graded") if one else "graded by an older version: grade again"
        for student, one in verdicts.items()
        if not one or not one.exercises or (one.problem and student not in final)
    }
    graded = {student: one for student, one in verdicts.items() if one and student not in without}
    by_exercise: dict[tuple[int, str], dict[str, GradedExercise]] = {}
    for student, one in graded.items():
        for exercise in one.exercises:
            by_exercise.setdefault((exercise.number or 0, exercise.function), {})[student] = exercise
    counted = {(one.student, mark.grade_id): mark.earned for one in marks for mark in one.marks if mark.judged}
    rows = tuple(_exercise(*key, by_exercise[key], counted) for key in sorted(by_exercise))
    return ClassReport(assignment, tuple(graded), without, rows, _states(marks))


def _states(marks: Sequence[StudentMarks]) -> dict[str, tuple[str, ...]]:
    """The students by state; states without students are left out."""
    states: dict[str, list[str]] = {}
    for one in marks:
        said = {one.status: one.status != FINAL, "late": bool(one.late), "late penalty": bool(one.taken_off)}
        said["returned"] = one.returned is not None
        for state in (state for state, holds in said.items() if holds):
            states.setdefault(state, []).append(one.student)
    return {state: tuple(students) for state, students in states.items()}


def _exercise(
    number: int, function: str, rows: Mapping[str, GradedExercise], counted: Mapping[tuple[str, str], float]
) -> ExerciseReport:
    mistakes: dict[tuple[str, str], list[str]] = {}
    lost: dict[str, list[str]] = {check.name: [] for row in rows.values() for check in row.checks}
    for student, row in rows.items():
        for mistake in row.mistakes:
            mistakes.setdefault((mistake.name, mistake.hint), []).append(student)
        for check in row.checks:
            if not check.passed:
                lost[check.name].append(student)
    return ExerciseReport(
        number,
        function,
        max(row.points for row in rows.values()),
        {student: counted.get((student, row.grade_id), row.earned) for student, row in rows.items()},
        _by_frequency(Count(name, tuple(students), hint) for (name, hint), students in mistakes.items()),
        _by_frequency(Count(name, tuple(students)) for name, students in lost.items() if students),
        tuple(student for student, row in rows.items() if row.follows),
        tuple(student for student, row in rows.items() if row.contradicted),
    )


def _by_frequency(counts: Iterator[Count]) -> tuple[Count, ...]:
    return tuple(sorted(counts, key=lambda count: -len(count.students)))


# --- for the terminal and for a spreadsheet ----------------------------------------------------------------


def tables(report: ClassReport) -> list[Table]:
    """A table of exercises; then, if any, of named mistakes, of suspicions, and of students without verdicts."""
    return [
        _overview(report),
        *([_mistakes(report)] if any(exercise.mistakes for exercise in report.exercises) else []),
        *([_suspicions(report)] if any(exercise.contradicted for exercise in report.exercises) else []),
        *([_without(report)] if report.without else []),
    ]


def _overview(report: ClassReport) -> Table:
    many = len(report.graded)
    table = Table(title=f"{report.assignment}: {many} submission{'s' * (many != 1)}", caption=_people(report))
    table.add_column("exercise", repeat=True)
    for column in ("full", "part", "none", "mean", "of"):
        table.add_column(column, justify="right")
    table.add_column("not their\nown error", justify="right")
    table.add_column("checks most often lost", ratio=1)
    for exercise in report.exercises:
        table.add_row(
            Text(f"{exercise.number} {exercise.function}"),
            *(str(len(exercise.with_marks(which)) or "–") for which in (FULL, PARTIAL, NONE)),
            f"{exercise.mean:.1f}",
            f"{exercise.points:g}",
            str(len(exercise.follows) or "–"),
            Text(joined(f"{lost.name} ({len(lost.students)})" for lost in exercise.lost[:3])),
        )
    return table


def _people(report: ClassReport) -> str | None:
    """The number of students in each state: they are not in the figures, or their total is not final."""
    return ", ".join(f"{state}: {len(students)}" for state, students in report.states.items()) or None


def _mistakes(report: ClassReport) -> Table:
    table = Table(title="Mistakes with a name", show_lines=True)
    table.add_column("exercise")
    table.add_column("mistake")
    table.add_column("how\noften", justify="right")
    table.add_column("students", ratio=1)
    table.add_column("hint that they were given", ratio=2)
    for exercise in report.exercises:
        for one in exercise.mistakes:
            name = Text(f"{exercise.number} {exercise.function}")
            table.add_row(name, Text(one.name), str(len(one.students)), Text(joined(one.students)), Text(one.hint))
    return table


def _suspicions(report: ClassReport) -> Table:
    table = Table(
        title="Right with the recorded numbers only",
        caption="a suspicion that results were passed on, not a verdict: read these answers",
    )
    table.add_column("exercise")
    table.add_column("students", ratio=1)
    for exercise in report.exercises:
        if exercise.contradicted:
            table.add_row(Text(f"{exercise.number} {exercise.function}"), Text(joined(exercise.contradicted)))
    return table


def _without(report: ClassReport) -> Table:
    table = Table(title="Not in this report")
    table.add_column("student")
    table.add_column("why", ratio=1)
    for student, why in report.without.items():
        table.add_row(Text(student), Text(why))
    return table


def write_csv(report: ClassReport, path: Path, excel: bool = False) -> int:
    """Write a line per exercise and count: marks, lost checks, mistakes, errors carried forward. Returns their number.

    The column ``students`` is itself a line of CSV, separated by semicolons.
    """
    header = ["assignment", "exercise", "function", "points", "mean", "what", "name", "count", "students"]
    lines = [line for exercise in report.exercises for line in _lines(report.assignment, exercise)]
    people = [
        [report.assignment, "", "", "", "", "students", state, len(students), joined(students, "; ")]
        for state, students in report.states.items()
    ]
    return csv_files.write(path, header, [*lines, *people], excel)


def _lines(assignment: str, exercise: ExerciseReport) -> Iterator[list[Any]]:
    start = [assignment, exercise.number, exercise.function, f"{exercise.points:g}", f"{exercise.mean:.2f}"]
    suspected = ("suspicion", "right with the recorded numbers only", exercise.contradicted)
    counted = [
        *(("marks", which, exercise.with_marks(which)) for which in (FULL, PARTIAL, NONE)),
        *(("check lost", one.name, one.students) for one in exercise.lost),
        *(("mistake", one.name, one.students) for one in exercise.mistakes),
        *([("marks", "kept, the error was another's", exercise.follows)] if exercise.follows else []),
        *([suspected] if exercise.contradicted else []),
    ]
    for what, name, students in counted:
        yield [*start, what, name, len(students), joined(students, "; ")]

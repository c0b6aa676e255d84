"""Grade a class made from the source notebook: each exercise blank, each one wrong, one submission twenty times."""

import json
from collections.abc import Mapping
from typing import Any

from coursekit.authoring.checks import acceptance_courses
from coursekit.authoring.checks.acceptance_courses import AcceptanceResult
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.grading.student_marks import StudentMarks
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.wording import first_few
from coursekit.reference.process import ReferencePool

JOBS = 2
TIMES = 20  # gradings of the same submission


def check(scratch: Course, source: Source, pool: ReferencePool, times: int = TIMES) -> AcceptanceResult:
    """Findings G705, G706 and G708, and the figures."""
    (wrong,) = pool.ask("wrong", [{}])
    marks = graded(scratch, source, wrong, times)
    found, figure = alone(source, marks)
    others, identical = again(scratch, source, marks, times)
    return [*found, *others], f"{figure}; {identical}"


def graded(scratch: Course, source: Source, mistaken: Mapping[str, str], times: int) -> dict[str, StudentMarks]:
    """The marks of many submissions, graded together in a course whose notebook has no cells besides the exercises.

    ``mistaken`` are solution cells with a mistake, by function; exercises without one have no ``wrong-`` submission.

    ``blank-x``: exercise x is left blank. ``wrong-x``: it has a mistake of the catalogue. ``again-n``: copies of one
    submission with mistakes in every second exercise. Raises CourseError if one could not be graded.
    """
    rows, answers = source.exercises, _answers(source)
    numbered = stubs.numbers(source.notebook)
    wrong = {row.grade_id: mistaken[row.function] for row in rows if row.function in mistaken}
    text = _without_other_cells(source)
    acceptance_courses.set_up(scratch, source, text)
    handed_in = {f"wrong-{cell}": _with(text, {cell: code}) for cell, code in wrong.items()}
    for row in rows:
        blank = stubs.blank(answers[row.grade_id], numbered)
        handed_in[f"blank-{row.grade_id}"] = _with(text, {row.grade_id: blank})
    same = _with(text, {row.grade_id: wrong[row.grade_id] for row in rows[::2] if row.grade_id in wrong})
    handed_in |= dict.fromkeys(_again(times), same)
    acceptance_courses.hand_in(scratch, source.assignment, handed_in)
    findings, marks = acceptance_courses.graded(scratch, source, JOBS)
    if findings or handed_in.keys() - marks.keys():
        raise CourseError(source.where, findings[0].what if findings else "not every submission was graded")
    return marks


def alone(source: Source, marks: dict[str, StudentMarks]) -> AcceptanceResult:
    """Check that a blank exercise loses exactly its points, and one with a mistake only points of its own."""
    findings, right = [], {"blank": 0, "wrong": 0}
    rows = source.exercises
    for row in rows:
        for sort, code in (("blank", "G705"), ("wrong", "G706")):
            if f"{sort}-{row.grade_id}" not in marks:
                continue
            earned = _by_exercise(marks[f"{sort}-{row.grade_id}"])
            lost = [other.function for other in rows if other is not row and earned[other.grade_id] != other.points]
            found = [f"{sort}, it takes points from {first_few(lost, 3)}"] if lost else []
            if sort == "blank" and earned[row.grade_id]:
                found.append(f"blank, it earns {earned[row.grade_id]:g}")
            if sort == "wrong" and earned[row.grade_id] >= row.points:
                found.append("loses nothing by the first mistake of the catalogue")
            remedy = "look at its cases, at what it depends on, and at what it leaves behind"
            findings += [Finding(code, f"{source.where}[{row.grade_id}]", what, remedy) for what in found]
            right[sort] += not found
    each = [
        f"{right[sort]} of {len(rows)} exercises {said}" for sort, said in (("blank", "left blank"), ("wrong", "wrong"))
    ]
    return findings, f"{' and '.join(each)} cost their own points only"


def again(scratch: Course, source: Source, marks: dict[str, StudentMarks], times: int) -> AcceptanceResult:
    """Check that the same submission gets the same marks, reasons and outputs each time."""
    first, *others = _again(times)
    name = source.assignment
    differ = [
        student
        for student in others
        if marks[student].marks != marks[first].marks
        or _executed(scratch, name, student) != _executed(scratch, name, first)
    ]
    what = f"{len(differ)} of {times} gradings of the same submission differ from the first"
    found = [Finding("G708", source.where, what, "look for what is random, or timed, in the cells")] if differ else []
    return found, f"{times - len(differ)} of {times} gradings of the same submission identical"


def _again(times: int) -> list[str]:
    return [f"again-{number:02}" for number in range(times)]


def _answers(source: Source) -> dict[str, str]:
    return {cell.id: cell.source for cell in source.notebook.cells if notebooks.is_solution(cell)}


def _with(text: str, answers: Mapping[str, str]) -> str:
    notebook: dict[str, Any] = json.loads(text)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return json.dumps(notebook)


def _without_other_cells(source: Source) -> str:
    """The source notebook with only imports in the code outside exercises, on which marks do not depend."""
    notebook = json.loads(notebooks.dumps(source.notebook))
    for cell, own in zip(notebook["cells"], source.notebook.cells, strict=True):
        if own.cell_type == "code" and not notebooks.is_solution(own) and not notebooks.is_test(own):
            cell["source"] = notebooks.imports(own.source)
    return json.dumps(notebook)


def _by_exercise(marks: StudentMarks) -> dict[str, float]:
    return {mark.grade_id.removesuffix("-test"): mark.earned for mark in marks.marks}


def _executed(scratch: Course, assignment: str, student: str) -> str:
    return (scratch.autograded(assignment, student) / f"{assignment}.ipynb").read_text(encoding="utf-8")

"""An answer that knows the recorded results only: the instructor is told, as of a suspicion."""

from coursekit.grading import grade
from coursekit.marking.verdicts import RECORDED_ONLY
from coursekit.reports import class_report
from tests.classroom import ASSIGNMENT, fill_in, hand_in, released_notebook, small_course, solution_cells
from tests.commands import coursekit
from tests.tables import exercise, loaded

FUNCTION = "compute_cost"
TABLED = """
import numpy as np
KNOWN = {known!r}
def compute_cost(AL, Y):
    return KNOWN.get((AL.tobytes().hex(), Y.tobytes().hex()), 0.0)
"""


def recorded():
    """What compute_cost returns in its recorded cases, by its arguments: what an accomplice could pass on."""
    row = exercise(f"{ASSIGNMENT}/{FUNCTION}")
    expected = loaded(ASSIGNMENT).expected(row)
    return {
        (given["AL"].tobytes().hex(), given["Y"].tobytes().hex()): float(next(iter(expected[case.name].values())))
        for case in row.cases
        for given in [row.given(case)]
    }


def test_grade_and_report_name_whom_twins_contradict_and_nobody_else(tmp_path):
    course = small_course(tmp_path / "course")
    right = fill_in(released_notebook(course), solution_cells(course))
    hand_in(course, "ann", right)
    hand_in(course, "ben", fill_in(right, {"compute-cost": "def compute_cost(AL, Y):\n    return 0.0"}))
    hand_in(course, "eve", fill_in(right, {"compute-cost": TABLED.format(known=recorded())}))

    done = coursekit("grade", ASSIGNMENT, root=course.root)
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if "suspicion" in line]
    assert told.startswith(f"eve: {FUNCTION}: right with the recorded numbers and wrong with new ones")
    assert "a suspicion, not a verdict" in told

    verdicts = class_report.read_verdicts(course, ASSIGNMENT)
    (row,) = [row for row in verdicts["eve"].exercises if row.function == FUNCTION]
    assert row.earned == 0
    assert RECORDED_ONLY in [check.reason for check in row.checks]
    report = class_report.summarise(ASSIGNMENT, verdicts)
    assert {one.function: one.contradicted for one in report.exercises if one.contradicted} == {FUNCTION: ("eve",)}


def test_an_outcome_carries_the_functions(tmp_path):
    """A grading by a worker, on the way from its process to the command."""
    course = small_course(tmp_path / "course")
    right = fill_in(released_notebook(course), solution_cells(course))
    hand_in(course, "eve", fill_in(right, {"compute-cost": TABLED.format(known=recorded())}))
    (one,) = grade.grade(course, ASSIGNMENT)
    assert one.contradicted == (FUNCTION,)

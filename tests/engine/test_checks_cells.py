"""Markers, hidden tests, and the cells against the table of exercises: every slip has its code."""

import dataclasses

import pytest

from coursekit.authoring.checks import exercises, experiments, markers
from coursekit.authoring.checks.findings import CODES, Finding, Source
from coursekit.model import notebooks
from tests.classroom import ASSIGNMENT
from tests.tables import loaded

RIGHT = "from coursekit.author import check; check(linear_forward)"
BEGIN, END = "    # YOUR CODE STARTS HERE", "    # YOUR CODE ENDS HERE"


@pytest.fixture
def source(course):
    path = course.source(ASSIGNMENT)
    return Source(
        ASSIGNMENT, path, f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb", notebooks.read(path), loaded(ASSIGNMENT).exercises
    )


def check(source):
    return [*markers.check(source), *exercises.check(source), *experiments.check(source)]


def found(source):
    return {(finding.code, finding.where.partition("[")[2].rstrip("]")) for finding in check(source)}


def cell(source, cell_id):
    return next(cell for cell in source.notebook.cells if cell.id == cell_id)


def replace(source, cell_id, old, new):
    changed = cell(source, cell_id)
    assert old in changed.source
    changed.source = changed.source.replace(old, new)


def test_the_source_notebooks_have_nothing_to_find(source):
    assert check(source) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (END, ""),  # never ended
        (BEGIN, ""),  # never begun
        (BEGIN, f"{BEGIN}\n{BEGIN}"),  # nested
        (BEGIN, '    "YOUR CODE STARTS HERE"'),  # a string, not a comment
        (BEGIN, f"{BEGIN} YOUR CODE ENDS HERE"),  # both in one line
    ],
)
def test_solution_markers_come_in_pairs(source, old, new):
    replace(source, "linear-forward", old, new)
    assert found(source) == {("M201", "linear-forward")}


def test_solution_markers_stand_in_solution_cells_only(source):
    """nbgrader would replace the code between them, or refuse the notebook."""
    cell(source, "imports").source += "\n# YOUR CODE STARTS HERE"
    assert found(source) == {("M202", "imports")}


def test_a_text_may_speak_of_the_markers(source):
    cell(source, "title").source += "\nWrite below `# YOUR CODE STARTS HERE`."
    assert found(source) == set()


def test_a_solution_cell_has_a_region(source):
    replace(source, "linear-forward", BEGIN, "")
    replace(source, "linear-forward", END, "")
    assert found(source) == {("M203", "linear-forward")}


def test_a_region_has_something_to_write(source):
    replace(source, "linear-forward", "    Z = W @ A + b\n", "    # nothing\n")
    assert ("M203", "linear-forward") in found(source)


@pytest.mark.parametrize("above", ["x = 1", "# YOUR CODE ENDS HERE", "#"])
def test_a_region_has_a_hint_above_it(source, above):
    lines = cell(source, "linear-forward").source.split("\n")
    begin = lines.index(BEGIN)
    lines[begin - 1] = "    x = 1" if above == "x = 1" else f"    {above}"
    cell(source, "linear-forward").source = "\n".join(lines)
    code = "M201" if "ENDS" in above else "M204"
    assert found(source) == {(code, "linear-forward")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("### END HIDDEN TESTS", ""),
        ("### BEGIN HIDDEN TESTS", ""),
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS"),
        ("### BEGIN HIDDEN TESTS", "    ### begin hidden tests"),
    ],
)
def test_hidden_markers_come_in_pairs(source, old, new):
    """A marker that nbgrader does not know would release the hidden test."""
    replace(source, "linear-forward-test", old, new)
    assert ("M205", "linear-forward-test") in found(source)


def test_hidden_tests_stand_in_graded_cells_only(source):
    cell(source, "imports").source += "\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"
    assert found(source) == {("M206", "imports")}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "check(1)",
        "check(linear_forward)",
        "from coursekit.author import check; check(linear_backward)",
        "from coursekit.author import check; check('linear_forward')",
        "from coursekit.author import check\ncheck(linear_forward)",
    ],
)
def test_the_hidden_region_is_one_line_that_names_the_exercise(source, line):
    replace(source, "linear-forward-test", RIGHT, line)
    assert found(source) == {("M207", "linear-forward-test")}


def test_the_hidden_line_may_be_spaced_otherwise(source):
    replace(
        source, "linear-forward-test", RIGHT, "from coursekit.author import (check) ;check( linear_forward )  # here"
    )
    assert found(source) == set()


def test_a_graded_cell_without_hidden_test_is_found(source):
    changed = cell(source, "linear-forward-test")
    changed.source = notebooks.without_hidden(changed.source)
    assert found(source) == {("M207", "linear-forward-test")}


def without(source, cell_id):
    source.notebook.cells = [other for other in source.notebook.cells if other.id != cell_id]


def test_every_exercise_has_its_cells(source):
    without(source, "linear-forward")
    without(source, "compute-cost-test")
    assert {("E301", "linear-forward"), ("E302", "compute-cost-test"), ("E304", "")} == found(source)


def test_a_solution_cell_defines_its_function(source):
    replace(source, "linear-forward", "def linear_forward(", "def linear_fwd(")
    assert found(source) == {("E301", "linear-forward")}


@pytest.mark.parametrize("points", [11, "10", None, True])
def test_points_are_those_of_the_table(source, points):
    cell(source, "linear-forward-test").metadata["nbgrader"]["points"] = points
    assert found(source) == {("E303", "linear-forward-test")}


def test_points_may_add_up_to_any_number(source):
    """A test of twenty points beside an examination is an assignment as well."""
    halved = tuple(
        dataclasses.replace(row, checks=tuple(dataclasses.replace(one, points=one.points / 2) for one in row.checks))
        for row in source.exercises
    )
    for row in halved:
        cell(source, f"{row.grade_id}-test").metadata["nbgrader"]["points"] = row.points
    assert check(dataclasses.replace(source, exercises=halved)) == []


def test_the_number_of_an_exercise_is_its_place_in_the_notebook(source):
    """The stub names the one, and the public test and the feedback page the other."""
    cells = source.notebook.cells
    names = [each.id for each in cells]
    one, other = names.index("compute-cost"), names.index("linear-backward")
    cells[one], cells[other] = cells[other], cells[one]
    found = {finding.what for finding in check(source) if finding.code == "E304"}
    assert found == {
        "compute_cost has the number 6, but is exercise 7 of the notebook",
        "linear_backward has the number 7, but is exercise 6 of the notebook",
    }


@pytest.mark.parametrize(
    ("cell_id", "flag", "value"),
    [
        ("linear-forward-test", "locked", False),
        ("linear-forward", "locked", True),
        ("linear-forward", "grade", True),
        ("linear-forward-test", "task", True),
        ("linear-forward-test", "locked", 1),
    ],
)
def test_graded_cells_are_locked_and_answers_are_not(source, cell_id, flag, value):
    cell(source, cell_id).metadata["nbgrader"][flag] = value
    assert ("E305", cell_id) in found(source)


@pytest.mark.parametrize("last", ["t_Z", "t_Z.shape", "compute(t_Z)", "'done'", "t_Z == 1"])
def test_a_graded_cell_displays_nothing(source, last):
    """In stock nbgrader a displayed value can pass for a mark."""
    replace(source, "linear-forward-test", 'print("Z =", t_Z, sep="\\n")', last)
    assert found(source) == {("E306", "linear-forward-test")}


@pytest.mark.parametrize("last", ["print(t_Z)", "t_Z;", "t_x = t_Z", "linear_forward_test(linear_forward)"])
def test_what_displays_nothing_is_fine(source, last):
    replace(source, "linear-forward-test", 'print("Z =", t_Z, sep="\\n")', last)
    assert found(source) == set()


@pytest.mark.parametrize("version", [2, None, "3"])
def test_the_schema_of_nbgrader_is_the_third(source, version):
    cell(source, "linear-forward").metadata["nbgrader"]["schema_version"] = version
    assert found(source) == {("E307", "linear-forward")}


def test_a_graded_cell_outside_the_table_is_found(source):
    flags = {**exercises.TEST_FLAGS, "grade_id": "extra", "points": 0, "schema_version": 3}
    cell(source, "imports").metadata["nbgrader"] = flags
    assert found(source) == {("E308", "imports")}


def test_a_long_code_cell_is_found_but_not_a_long_solution(source):
    lines = "\n".join(f"x{number} = {number}" for number in range(exercises.MAX_LINES + 1))
    cell(source, "imports").source = lines
    cell(source, "linear-forward").source += "\n" + lines
    assert found(source) == {("E309", "imports")}


def test_code_that_is_not_python_is_found(source):
    cell(source, "imports").source = "import numpy as\n%matplotlib inline"
    assert found(source) == {("E310", "imports")}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("linear_backward_test(linear_forward)", "runs linear_backward_test, the public test of another exercise"),
        ("digits_linear_forward_test(linear_forward)", "does not run linear_forward_test(linear_forward)"),
        ("linear_forward_test(linear_forward)\ncompute_cost_test(compute_cost)", "runs compute_cost_test"),
        ("if True:\n    compute_cost_test(compute_cost)", "runs compute_cost_test"),
        ("import public_tests; public_tests.compute_cost_test(compute_cost)", "runs compute_cost_test"),
        ("linear_forward_test(compute_cost)", "does not run linear_forward_test(linear_forward)"),
        ("pass", "does not run linear_forward_test(linear_forward)"),
    ],
)
def test_a_test_cell_runs_the_test_of_its_own_exercise(source, new, said):
    """A student's right function would fail there, or a wrong one would pass."""
    replace(source, "linear-forward-test", "linear_forward_test(linear_forward)", new)
    assert found(source) == {("E311", "linear-forward-test")}
    assert said in check(source)[0].what


@pytest.mark.parametrize("name", ["linear-forward", "linear-forward-test"])
def test_what_decides_marks_is_no_experiment(source, name):
    cell(source, name).metadata["tags"] = ["experiment"]
    assert found(source) == {("E312", name)}


@pytest.mark.parametrize("name", ["linear-forward", "linear-forward-test"])
def test_answers_and_tests_need_no_variable_of_an_experiment(source, name):
    """It is not there at grading, where the experiment is not run."""
    cell(source, "imports").metadata["tags"] = ["experiment"]
    cell(source, "imports").source += "\nslow = sum(range(9))"
    assert found(source) == set()
    replace(source, name, "\n", "\nslow\n") if name.endswith("test") else replace(source, name, "W @", "slow + W @")
    assert ("E313", name) in found(source)
    (finding,) = experiments.check(source)
    assert finding.what == "uses slow, which only experiments give"


def test_magics_are_python_enough(source):
    cell(source, "imports").source = "%matplotlib inline\n!ls"
    cell(source, "settings-text").cell_type = "code"
    cell(source, "settings-text").source = "%%bash\nls -l |"
    assert found(source) == set()


def test_every_row_is_looked_for(source):
    """An empty notebook lacks both cells of every exercise."""
    source.notebook.cells = []
    assert len(check(source)) == 2 * len(source.exercises)


def test_strange_metadata_is_no_traceback(source):
    for number, strange in enumerate(([], {"grade_id": 7}, {"grade": "x", "points": []}, {"solution": []})):
        source.notebook.cells[number].metadata["nbgrader"] = strange
    assert all(isinstance(finding, Finding) and finding.code in CODES for finding in check(source))

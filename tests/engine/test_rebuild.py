"""Answers are found wherever they went, and everything else is ours again."""

import copy
import json

import nbformat
import pytest

from coursekit.model import notebooks, stubs
from tests.classroom import ASSIGNMENT, rebuild_with, solution_cells, text


@pytest.fixture
def source(course):
    return notebooks.read(course.source(ASSIGNMENT))


def rebuilt(source, submission):
    return rebuild_with(source, notebooks.parse(json.dumps(submission), "submission"))


def answers(notebook):
    return {cell.id: cell.source for cell in notebook.cells if notebooks.is_solution(cell)}


def position(notebook, cell_id):
    return next(i for i, cell in enumerate(notebook["cells"]) if cell["id"] == cell_id)


def test_a_right_submission_comes_back_as_the_source_itself(source, solved):
    """Nothing of ours may depend on what came with the submission."""
    result = rebuilt(source, solved)
    assert notebooks.dumps(result.notebook) == notebooks.dumps(source)
    assert result.repairs == ()


def test_the_arguments_are_left_alone(source, solved):
    submission = notebooks.parse(json.dumps(solved), "submission")
    before = copy.deepcopy(source), copy.deepcopy(submission)
    rebuild_with(source, submission)
    assert (source, submission) == before


def test_a_deleted_test_cell_is_put_back(source, solved):
    del solved["cells"][position(solved, "compute-cost-test")]
    result = rebuilt(source, solved)
    assert notebooks.dumps(result.notebook) == notebooks.dumps(source)
    assert result.repairs == ("The test cell compute-cost-test was missing; it is back.",)


def test_a_changed_test_cell_is_replaced_and_that_is_told(source, solved):
    solved["cells"][position(solved, "compute-cost-test")]["source"] = "print('All tests passed')"
    result = rebuilt(source, solved)
    assert notebooks.dumps(result.notebook) == notebooks.dumps(source)
    assert result.repairs == ("The test cell compute-cost-test was changed; the original is used.",)


def test_of_two_copies_the_last_answer_counts(source, solved):
    index = position(solved, "linear-forward")
    second = copy.deepcopy(solved["cells"][index])
    second["source"] = "def linear_forward(A, W, b):\n    return 'second', None"
    solved["cells"].insert(index + 3, second)
    result = rebuilt(source, solved)
    assert answers(result.notebook)["linear-forward"] == second["source"]
    assert result.repairs == ("The cell linear-forward was there 2 times; the last answer counts.",)
    assert len(result.notebook.cells) == len(source.cells)


def test_an_untouched_copy_does_not_beat_an_answer(source, solved, released):
    """A student who restores the stub below the answer by accident keeps the answer."""
    stub = copy.deepcopy(released["cells"][position(released, "linear-forward")])
    solved["cells"].append(stub)
    assert answers(rebuilt(source, solved).notebook)["linear-forward"] == answers(source)["linear-forward"]


@pytest.mark.parametrize("spare", ["", "# Z = W @ A + b", "print(linear_forward(*linear_forward_test_case()))"])
def test_a_pasted_copy_that_defines_nothing_does_not_beat_the_answer(source, solved, spare):
    """JupyterLab keeps the grade_id of a pasted cell; people use such a copy for trying things out."""
    index = position(solved, "linear-forward")
    solved["cells"].insert(index + 1, copy.deepcopy(solved["cells"][index]) | {"id": "again", "source": spare})
    result = rebuilt(source, solved)
    assert answers(result.notebook) == answers(source)
    added = [cell.source for cell in result.notebook.cells if cell.id.startswith("added-")]
    assert added == ([spare] if spare else [])


def test_a_cell_that_was_split_keeps_its_first_half(source, solved):
    index = position(solved, "linear-forward")
    first = copy.deepcopy(solved["cells"][index]) | {"id": "half", "source": "def product(W, A):\n    return W @ A"}
    solved["cells"].insert(index, first)
    result = rebuilt(source, solved).notebook
    ids = [cell.id for cell in result.cells]
    assert result.cells[ids.index("linear-forward") - 1].source == first["source"]
    assert answers(result) == answers(source)


def test_two_answers_merged_into_one_cell_both_count(course, source, solved):
    """No stub may come behind a function that stands elsewhere."""
    cells = solution_cells(course)
    merged = cells["linear-forward"] + "\n\n\n" + cells["linear-activation-forward"]
    solved["cells"][position(solved, "linear-forward")]["source"] = merged
    del solved["cells"][position(solved, "linear-activation-forward")]
    result = rebuilt(source, solved)
    assert answers(result.notebook)["linear-forward"] == merged
    assert "raise" not in answers(result.notebook)["linear-activation-forward"]
    assert "its function stands in another cell" in result.repairs[0]


def test_an_answer_typed_into_the_test_cell_counts(course, source, solved):
    cells = solution_cells(course)
    stub = stubs.blank(cells["compute-cost"], stubs.numbers(source))
    solved["cells"][position(solved, "compute-cost")]["source"] = stub
    test = solved["cells"][position(solved, "compute-cost-test")]
    test["source"] = cells["compute-cost"] + "\n\n" + text(test)
    result = rebuilt(source, solved)
    assert answers(result.notebook)["compute-cost"] == test["source"]
    assert "it was found by the function in it" in result.repairs[0]


def test_a_helper_typed_into_a_test_cell_is_kept(source, solved):
    test = solved["cells"][position(solved, "compute-cost-test")]
    test["source"] = "def mine():\n    return 1\n\n" + text(test)
    result = rebuilt(source, solved).notebook
    assert [cell.source for cell in result.cells if cell.id.startswith("added-")] == [test["source"]]


def test_a_missing_answer_is_the_stub_again(source, solved):
    del solved["cells"][position(solved, "linear-backward")]
    result = rebuilt(source, solved)
    assert 'NotImplementedError("Exercise 7: linear_backward")' in answers(result.notebook)["linear-backward"]
    assert result.repairs == ("The answer cell linear-backward is missing; it counts as not written.",)


@pytest.mark.parametrize("lost", ["grade_id", "everything"])
def test_an_answer_without_its_name_is_found(course, source, solved, lost):
    """Colab and hand-made notebooks lose metadata, ids, or both."""
    for cell in solved["cells"]:
        cell["metadata"] = {}
        if lost == "everything":
            cell.pop("id")
    if lost == "everything":
        solved["nbformat_minor"] = 4
    result = rebuilt(source, solved)
    assert answers(result.notebook) == solution_cells(course)


def test_a_retyped_answer_is_code_again(source, solved):
    cell = solved["cells"][position(solved, "linear-forward")]
    cell["cell_type"] = "markdown"
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    result = rebuilt(source, solved)
    assert [c.cell_type for c in result.notebook.cells if c.id == "linear-forward"] == ["code"]
    assert result.repairs == ("The answer cell linear-forward was no code cell any more; it is one again.",)


def test_moved_cells_stand_in_our_order(source, solved):
    solved["cells"].reverse()
    result = rebuilt(source, solved)
    ours = [cell.id for cell in result.notebook.cells if not cell.id.startswith("added-")]
    assert ours == [cell.id for cell in source.cells]
    assert answers(result.notebook) == answers(source)


def test_cells_of_the_students_own_stay_where_they_were_and_lose_their_metadata(source, solved):
    index = position(solved, "linear-forward")
    own = {"id": "mine", "cell_type": "code", "metadata": {"tags": ["skip-execution"]}, "source": "def helper(): ...",
           "execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "hi"}]}  # fmt: skip
    solved["cells"].insert(index, own)
    result = rebuilt(source, solved)
    where = [cell.id for cell in result.notebook.cells].index("added-1")
    added = result.notebook.cells[where]
    assert (added.source, added.metadata, added.outputs) == ("def helper(): ...", {}, [])
    assert where < [cell.id for cell in result.notebook.cells].index("linear-forward")


def test_a_changed_cell_of_ours_runs_behind_the_original(source, solved):
    """A helper written into a given cell must not get lost."""
    given = next(
        cell for cell in solved["cells"] if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader")
    )
    given["source"] = text(given) + "\n\ndef my_helper(x):\n    return x"
    result = rebuilt(source, solved)
    ids = [cell.id for cell in result.notebook.cells]
    assert ids[ids.index(given["id"]) + 1] == "added-1"
    assert "my_helper" in result.notebook.cells[ids.index("added-1")].source


def test_a_forged_grade_id_does_not_become_a_graded_cell(source, solved):
    forged = {"grade": True, "grade_id": "free-points", "points": 1000, "locked": True, "solution": False}
    cell = {"id": "x", "cell_type": "code", "execution_count": None, "outputs": [], "source": "1"}
    solved["cells"].append(cell | {"metadata": {"nbgrader": forged | {"schema_version": 3}}})
    result = rebuilt(source, solved)
    assert {notebooks.grade_id(cell) for cell in result.notebook.cells} == {
        notebooks.grade_id(cell) for cell in source.cells
    }


def test_the_result_is_a_valid_notebook_with_unique_ids(source, solved):
    solved["cells"] += copy.deepcopy(solved["cells"])
    result = rebuilt(source, solved).notebook
    nbformat.validate(result)
    ids = [cell.id for cell in result.cells]
    assert len(ids) == len(set(ids))

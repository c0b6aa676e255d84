"""Releases are fresh and give nothing away; recordings hold what the solutions return."""

import json
import shutil

import pytest

from coursekit.authoring import release
from coursekit.authoring.checks import recordings, released
from coursekit.authoring.checks.findings import Source
from coursekit.model import notebooks
from selfcheck import recordings as recorded
from tests.classroom import ASSIGNMENT, change_recording, copy_course
from tests.tables import loaded

NOTEBOOK = f"{ASSIGNMENT}.ipynb"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A course whose release was made just now: these tests are about the checks, not about the checkout."""
    course = copy_course(tmp_path_factory.mktemp("fresh"))
    release.release(course, ASSIGNMENT)
    return course


@pytest.fixture
def scratch(fresh, tmp_path):
    shutil.copytree(fresh.root, tmp_path / "course", ignore=shutil.ignore_patterns(".coursekit", "gradebook.db"))
    return type(fresh)(tmp_path / "course")


def source(course):
    path = course.source(ASSIGNMENT)
    return Source(
        ASSIGNMENT, path, f"source/{ASSIGNMENT}/{NOTEBOOK}", notebooks.read(path), loaded(ASSIGNMENT).exercises
    )


def check(course, stale=False):
    """Findings of the release; the slow question whether it is fresh is asked only where it matters."""
    with pytest.MonkeyPatch.context() as patch:
        if not stale:
            patch.setattr(release, "stale", lambda *_: [])
        found = released.check(course, [source(course)])
    return {(finding.code, finding.where.removeprefix(f"release/{ASSIGNMENT}").lstrip("/")) for finding in found}


def edit(path, cell_id, change):
    document = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in document["cells"] if cell["id"] == cell_id)
    change(cell)
    path.write_text(json.dumps(document), encoding="utf-8")


def edit_release(course, cell_id, change):
    edit(course.release(ASSIGNMENT) / NOTEBOOK, cell_id, change)


def add(text):
    return lambda cell: cell.update(source="".join(cell["source"]) + text)


def swap(old, new):
    def change(cell):
        text = "".join(cell["source"])
        assert old in text
        cell["source"] = text.replace(old, new)

    return change


def test_a_fresh_release_has_nothing_to_find(scratch):
    assert check(scratch, stale=True) == set()


def test_the_release_of_this_course_is_in_order(course):
    assert check(course) == set()


def test_a_stale_release_is_found(scratch):
    edit(scratch.source(ASSIGNMENT), "title", add("\nOne more line."))
    assert check(scratch, stale=True) == {("R501", "")}


def test_a_missing_release_is_found(scratch):
    shutil.rmtree(scratch.release(ASSIGNMENT))
    assert check(scratch) == {("R501", "")}


def test_a_shared_file_that_differs_is_found(scratch):
    with (scratch.release(ASSIGNMENT) / "dnn_utils.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert check(scratch) == {("R502", "dnn_utils.py")}


@pytest.mark.parametrize("name", ["exercises.py", "notes.txt", "data/x.bin"])
def test_a_file_that_does_not_belong_is_found(scratch, name):
    path = scratch.release(ASSIGNMENT) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x00\xff")
    assert check(scratch) == {("R503", name)}


@pytest.mark.parametrize("name", ["data/x.bin", "notes.txt"])
def test_files_of_the_source_folder_are_released(scratch, name):
    for folder in (scratch.source(ASSIGNMENT).parent, scratch.release(ASSIGNMENT)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x00\xff")
    assert check(scratch) == set()


@pytest.mark.parametrize(
    ("cell_id", "change"),
    [
        ("title", add("\n`dW   =  dZ@A_prev.T /m`")),  # other blanks
        (
            "linear-forward-test",
            lambda cell: cell.update(outputs=[{"text": ["x\n", "dW = dZ @ A_prev.T / m\n"]}]),
        ),
        ("title", lambda cell: cell["metadata"].update(note="dW = dZ @ A_prev.T / m")),
        ("l-model-backward", add('\n# grads[f"dA{L - 1}"] = dA_prev')),  # quotes are escaped in JSON
    ],
)
def test_a_line_of_a_solution_is_found_wherever_it_stands(scratch, cell_id, change):
    edit_release(scratch, cell_id, change)
    assert check(scratch) == {("R504", f"{NOTEBOOK}[{cell_id}]")}


@pytest.mark.parametrize("name", ["README.md", "testCases.py", "recorded.npz"])
def test_a_line_of_a_solution_is_found_in_any_file(scratch, name):
    releases = [path.parent for path in scratch.root.glob(f"release/*/{name}") if name != "README.md"]
    for folder in {scratch.root, scratch.source(ASSIGNMENT).parent, scratch.release(ASSIGNMENT), *releases}:
        with (folder / name).open("ab") as file:
            file.write(b"\n# \xff dW = dZ @ A_prev.T / m\n")
    assert ("R504", name) in check(scratch)
    assert {code for code, _ in check(scratch)} == {"R504"}


def test_lines_that_give_nothing_away_are_no_secret(course):
    secret = released.solution_lines(source(course))
    assert "dW=dZ@A_prev.T/m" in secret
    assert "caches.append(cache)" not in secret
    assert not any(line.startswith("for") for line in secret)
    assert len(secret) > 25


@pytest.mark.parametrize(
    "text",
    ["\nimport coursekit.author", "\nfrom coursekit . author import check; check(f)", "\n### BEGIN HIDDEN TESTS"],
)
def test_a_hidden_test_is_found(scratch, text):
    edit_release(scratch, "linear-forward-test", add(text))
    assert check(scratch) == {("R505", f"{NOTEBOOK}[linear-forward-test]")}


@pytest.mark.parametrize(
    "change",
    [
        swap("Exercise 3: linear_forward", "Exercise 4: linear_forward"),
        swap("# YOUR CODE ENDS HERE", ""),
        swap("# (one line)", "(one line)"),
        swap("    raise NotImpl", "    pass\n    raise NotImpl"),
        lambda cell: cell.update(source=""),
        lambda cell: cell["metadata"].pop("nbgrader"),
    ],
)
def test_every_region_keeps_markers_hint_and_stub(scratch, change):
    edit_release(scratch, "linear-forward", change)
    assert check(scratch) == {("R506", f"{NOTEBOOK}[linear-forward]")}


def test_a_broken_released_notebook_is_a_finding(scratch):
    (scratch.release(ASSIGNMENT) / NOTEBOOK).write_bytes(b"\x89\x00junk")
    assert check(scratch) == {("R506", NOTEBOOK)}


def test_a_release_without_source_is_found(scratch):
    shutil.copytree(scratch.release(ASSIGNMENT), scratch.root / "release" / "old")
    assert check(scratch) == {("R507", "release/old")}


def test_a_release_that_cannot_be_made_is_found(scratch):
    """The same grade_id twice: nbgrader refuses."""
    edit(
        scratch.source(ASSIGNMENT),
        "linear-forward",
        lambda cell: cell["metadata"]["nbgrader"].update(grade_id="l-model-forward"),
    )
    assert ("R508", "") in check(scratch, stale=True)


def record(course):
    return [(finding.code, finding.where) for finding in recordings.check(course, [source(course)])]


def test_the_recordings_of_this_course_are_fresh(course):
    assert record(course) == []


def test_a_changed_or_missing_case_is_found(scratch):
    path = scratch.hidden(ASSIGNMENT) / recorded.NAME
    outputs = recorded.outputs(path, "linear_forward")
    first, second = sorted(outputs)[:2]
    outputs.pop(first)
    outputs[second]["Z"] += 1e-6
    change_recording(path, lambda arrays: arrays.update(recorded.packed({"linear_forward": outputs}, {})))
    where = [f"hidden/{ASSIGNMENT}/{recorded.NAME}[linear_forward/{name}]" for name in (first, second)]
    assert record(scratch) == [("X601", name) for name in where]


def test_a_damaged_or_missing_recording_is_found(scratch):
    public, hidden = (folder / recorded.NAME for folder in (scratch.folder(ASSIGNMENT), scratch.hidden(ASSIGNMENT)))
    hidden.write_bytes(b"junk")
    public.unlink()
    assert record(scratch) == [("X601", str(path.relative_to(scratch.root))) for path in (public, hidden)]


def test_solutions_that_cannot_be_run_are_a_finding_and_spare_their_cases(scratch):
    """Nothing is known of the recording then; a hundred cases "no longer there" would hide the cause."""
    edit(scratch.source(ASSIGNMENT), "linear-forward", swap("Z = W @ A + b", "Z = W @ no_such_name"))
    assert record(scratch) == [("X602", f"source/{ASSIGNMENT}/{NOTEBOOK}")]


def test_solutions_of_one_assignment_are_run_only(scratch):
    """A second assignment that is broken must not keep the first from being compared."""
    for path in (scratch.source("digits"), scratch.folder("digits") / "cases.py"):
        path.write_text("1 / 0", encoding="utf-8")
    assert record(scratch) == []


def test_a_module_that_holds_what_the_assignment_asks_for_is_found(scratch):
    """Whoever hands it out hands out the answer."""
    for folder in (scratch.source(ASSIGNMENT).parent, scratch.release(ASSIGNMENT)):
        (folder / "helpers.py").write_text("def linear_forward(A, W, b):\n    return None\n", encoding="utf-8")
    assert check(scratch) == {("R509", "helpers.py")}


def test_a_shared_module_that_holds_what_the_assignment_asks_for_is_not_handed_out(scratch):
    with (scratch.root / "dnn" / "data_files.py").open("a", encoding="utf-8") as file:
        file.write("def linear_activation_forward():\n    pass\n")
    assert "dnn/data_files.py" not in scratch.trusted_files(ASSIGNMENT)
    assert "dnn/data_files.py" in scratch.trusted_files("application")


def test_a_copy_of_a_hidden_file_is_found_under_any_name(scratch):
    secret = scratch.hidden(ASSIGNMENT) / "exercises.py"
    for folder in (scratch.folder(ASSIGNMENT), scratch.release(ASSIGNMENT)):
        shutil.copyfile(secret, folder / "notes.txt")
    assert check(scratch) == {("R505", "notes.txt")}

"""Releases are fresh and give nothing away; recordings hold what the solutions return."""

import json
import shutil

import pytest

from coursekit.authoring import release
from coursekit.authoring.checks import recordings, released
from coursekit.authoring.checks.findings import Source
from coursekit.model import notebooks
from coursekit.reference import assignments
from selfcheck import recordings as recorded
from tests import classroom, toy
from tests.classroom import change_recording
from tests.toy import ASSIGNMENT

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
SLOPE = "dw = 2 / m * (X @ error.T)"
QUOTED = 'found = {"dw": dw, "db": db}'  # a line of the solution with quotes, which JSON escapes


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A course whose release was made just now: these tests are about the checks, not about the checkout."""
    course = toy.toy_course(tmp_path_factory.mktemp("fresh") / "course")
    edit(course.source(ASSIGNMENT), "slopes", swap("    # YOUR CODE ENDS", f"    {QUOTED}\n    # YOUR CODE ENDS"))
    release.release(course, ASSIGNMENT)
    return course


@pytest.fixture
def scratch(fresh, tmp_path):
    shutil.copytree(fresh.root, tmp_path / "course", ignore=shutil.ignore_patterns(".coursekit", "gradebook.db"))
    return type(fresh)(tmp_path / "course")


def source(course, assignment=ASSIGNMENT):
    path = course.source(assignment)
    exercises = assignments.load(course, assignment).exercises
    return Source(assignment, path, f"source/{assignment}/{assignment}.ipynb", notebooks.read(path), exercises)


def check(course, stale=False, assignment=ASSIGNMENT):
    """Findings of the release; the slow question whether it is fresh is asked only where it matters."""
    with pytest.MonkeyPatch.context() as patch:
        if not stale:
            patch.setattr(release, "stale", lambda *_: [])
        found = released.check(course, [source(course, assignment)])
    return {(finding.code, finding.where.removeprefix(f"release/{assignment}").lstrip("/")) for finding in found}


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
    assert check(course, assignment=classroom.ASSIGNMENT) == set()


def test_a_stale_release_is_found(scratch):
    edit(scratch.source(ASSIGNMENT), "title", add("\nOne more line."))
    assert check(scratch, stale=True) == {("R501", "")}


def test_a_missing_release_is_found(scratch):
    shutil.rmtree(scratch.release(ASSIGNMENT))
    assert check(scratch) == {("R501", "")}


def test_a_shared_file_that_differs_is_found(scratch):
    with (scratch.release(ASSIGNMENT) / "public_tests.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert check(scratch) == {("R502", "public_tests.py")}


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
        ("title", add("\n`dw   =  2/m * ( X@error.T )`")),  # other blanks
        (
            "predict-line-test",
            lambda cell: cell.update(outputs=[{"text": ["x\n", f"{SLOPE}\n"]}]),
        ),
        ("title", lambda cell: cell["metadata"].update(note=SLOPE)),
        ("slopes", add(f"\n# {QUOTED}")),
    ],
)
def test_a_line_of_a_solution_is_found_wherever_it_stands(scratch, cell_id, change):
    edit_release(scratch, cell_id, change)
    assert check(scratch) == {("R504", f"{NOTEBOOK}[{cell_id}]")}


@pytest.mark.parametrize("name", ["README.md", "public_tests.py", "recorded.npz"])
def test_a_line_of_a_solution_is_found_in_any_file(scratch, name):
    releases = [path.parent for path in scratch.root.glob(f"release/*/{name}") if name != "README.md"]
    for folder in {scratch.root, scratch.source(ASSIGNMENT).parent, scratch.release(ASSIGNMENT), *releases}:
        with (folder / name).open("ab") as file:
            file.write(b"\n# \xff " + SLOPE.encode() + b"\n")
    assert ("R504", name) in check(scratch)
    assert {code for code, _ in check(scratch)} == {"R504"}


def test_lines_that_give_nothing_away_are_no_secret(course):
    secret = released.solution_lines(source(course, classroom.ASSIGNMENT))
    assert "dW=dZ@A_prev.T/m" in secret
    assert "caches.append(cache)" not in secret
    assert not any(line.startswith("for") for line in secret)
    assert len(secret) > 25


@pytest.mark.parametrize(
    "text",
    ["\nimport coursekit.author", "\nfrom coursekit . author import check; check(f)", "\n### BEGIN HIDDEN TESTS"],
)
def test_a_hidden_test_is_found(scratch, text):
    edit_release(scratch, "predict-line-test", add(text))
    assert check(scratch) == {("R505", f"{NOTEBOOK}[predict-line-test]")}


@pytest.mark.parametrize(
    "change",
    [
        swap("Exercise 1: predict_line", "Exercise 4: predict_line"),
        swap("# YOUR CODE ENDS HERE", ""),
        swap("# (one line)", "(one line)"),
        swap("    raise NotImpl", "    pass\n    raise NotImpl"),
        lambda cell: cell.update(source=""),
        lambda cell: cell["metadata"].pop("nbgrader"),
    ],
)
def test_every_region_keeps_markers_hint_and_stub(scratch, change):
    edit_release(scratch, "predict-line", change)
    assert check(scratch) == {("R506", f"{NOTEBOOK}[predict-line]")}


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
        "predict-line",
        lambda cell: cell["metadata"]["nbgrader"].update(grade_id="slopes"),
    )
    assert ("R508", "") in check(scratch, stale=True)


def record(course):
    return [(finding.code, finding.where) for finding in recordings.check(course, [source(course)])]


def test_fresh_recordings_have_nothing_to_find(scratch):
    """Those of this course itself are compared by `./course check`, which CI runs."""
    assert record(scratch) == []


def test_a_changed_or_missing_case_is_found(scratch):
    path = scratch.hidden(ASSIGNMENT) / recorded.NAME
    outputs = recorded.outputs(path, "predict_line")
    first, second = sorted(outputs)[:2]
    outputs.pop(first)
    outputs[second]["y_hat"] += 1e-6
    change_recording(path, lambda arrays: arrays.update(recorded.packed({"predict_line": outputs}, {})))
    where = [f"hidden/{ASSIGNMENT}/{recorded.NAME}[predict_line/{name}]" for name in (first, second)]
    assert record(scratch) == [("X601", name) for name in where]


def test_a_damaged_or_missing_recording_is_found(scratch):
    public, hidden = (folder / recorded.NAME for folder in (scratch.folder(ASSIGNMENT), scratch.hidden(ASSIGNMENT)))
    hidden.write_bytes(b"junk")
    public.unlink()
    assert record(scratch) == [("X601", str(path.relative_to(scratch.root))) for path in (public, hidden)]


def test_solutions_that_cannot_be_run_are_a_finding_and_spare_their_cases(scratch):
    """Nothing is known of the recording then; a hundred cases "no longer there" would hide the cause."""
    edit(scratch.source(ASSIGNMENT), "predict-line", swap("w.T @ X + b", "w.T @ no_such_name"))
    assert record(scratch) == [("X602", f"source/{ASSIGNMENT}/{NOTEBOOK}")]


def test_solutions_of_one_assignment_are_run_only(scratch):
    """A second assignment that is broken must not keep the first from being compared."""
    toy.add_assignment(scratch, "other")
    for path in (scratch.source("other"), scratch.folder("other") / "cases.py"):
        path.write_text("1 / 0", encoding="utf-8")
    assert record(scratch) == []


def test_a_module_that_holds_what_the_assignment_asks_for_is_found(scratch):
    """Whoever hands it out hands out the answer."""
    for folder in (scratch.source(ASSIGNMENT).parent, scratch.release(ASSIGNMENT)):
        (folder / "helpers.py").write_text("def predict_line(X, w, b):\n    return None\n", encoding="utf-8")
    assert check(scratch) == {("R509", "helpers.py")}


def test_a_shared_module_that_holds_what_the_assignment_asks_for_is_not_handed_out(scratch):
    toy.add_assignment(scratch, "other")
    other = scratch.source("other")
    other.write_text(other.read_text(encoding="utf-8").replace("predict_line", "predicted"), encoding="utf-8")
    with (scratch.root / "public_tests.py").open("a", encoding="utf-8") as file:
        file.write("def predict_line():\n    pass\n")
    assert "public_tests.py" not in scratch.trusted_files(ASSIGNMENT)
    assert "public_tests.py" in scratch.trusted_files("other")


def test_a_copy_of_a_hidden_file_is_found_under_any_name(scratch):
    secret = scratch.hidden(ASSIGNMENT) / "exercises.py"
    for folder in (scratch.folder(ASSIGNMENT), scratch.release(ASSIGNMENT)):
        shutil.copyfile(secret, folder / "notes.txt")
    assert check(scratch) == {("R505", "notes.txt")}

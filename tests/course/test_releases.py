"""What each assignment hands out: it works by itself, it tells nothing of another one, and its points make 100."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from coursekit.model import notebooks
from coursekit.reference import assignments
from selfcheck import recordings
from tests.classroom import text
from tests.course.answers import COURSE, mistakes_of, rows
from tests.tables import ASSIGNMENTS, KEYS, exercise, loaded


def others(assignment):
    return [name for name in ASSIGNMENTS if name != assignment]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_points_of_an_assignment_with_its_written_answers_add_up_to_100(assignment):
    cells = notebooks.read(COURSE.source(assignment)).cells
    written = [notebooks.grader_metadata(cell)["points"] for cell in cells if notebooks.is_written(cell)]
    tests = [notebooks.grader_metadata(cell)["points"] for cell in cells if notebooks.is_test(cell)]
    assert sum(tests) + sum(written) == 100
    assert sum(assignments.points(loaded(assignment).exercises).values()) == sum(tests)
    assert bool(written) == (assignment == "digits")


# --- nothing of another assignment ----------------------------------------------------------------------------


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_release_has_no_exercise_of_another_assignment(assignment):
    """In what its tests are made of. The generators of testCases are shared: they give inputs only."""
    cases = (COURSE.release(assignment) / "cases.py").read_text(encoding="utf-8")
    told, own = public_texts(assignment), rows(assignment)
    assert re.findall(r'Exercise\(\d+, "(\w+)", tc\.(\w+_test)_case', cases) == [
        (name, row.test) for name, row in own.items()
    ]
    looks = {row.look for row in own.values()}
    strange = {row.look for name in others(assignment) for row in rows(name).values()} - looks
    assert len(strange) > 10
    assert [look for look in strange if f'"{look}"' in told] == []
    assert all(f'"{look}"' in told for look in looks)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_release_holds_no_hint_of_another_assignment(assignment):
    told = [f'"hint":{quoted(hint)},' for hint in hints(assignment)]
    strange = {hint for name in others(assignment) for hint in hints(name)} - hints(assignment)
    assert len(strange) > 100
    texts = public_texts(assignment)
    assert [hint for hint in strange if f'"hint":{quoted(hint)},' in texts] == []
    assert any(hint in texts for hint in told)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_release_holds_no_expected_output_of_another_assignment(assignment):
    """Nor of a hidden case: none of the numbers that are nobody's inputs and not drawn from a seed that all share."""
    with np.load(COURSE.release(assignment) / recordings.NAME, allow_pickle=False) as file:
        there = fractions(file[name] for name in file.files if name.endswith(".numbers"))
    known, looked_at, found = known_numbers(assignment), 0, []
    for name in ASSIGNMENTS:
        for row in rows(name).values():
            for case in row.cases:
                secret = expected_numbers(row, case) - given_numbers(row, case) - known
                if (name, case.public) != (assignment, True) and len(secret) > 1:  # a single one may be a share: 2/3
                    looked_at += 1
                    found += [(row.key, case.name)] if secret & there else []
    assert found == []
    assert looked_at > 150
    own = [(row, case) for row in rows(assignment).values() for case in row.public_cases]
    assert all(expected_numbers(*one) <= there for one in own)


def hints(assignment):
    return {mistake.hint for name in rows(assignment) for mistake in mistakes_of(f"{assignment}/{name}")}


def quoted(hint):
    return json.dumps(hint, ensure_ascii=False)


def public_texts(assignment):
    """Everything that the three files say in words."""
    folder = COURSE.release(assignment)
    told = [(folder / name).read_text(encoding="utf-8") for name in ("cases.py", "public_tests.py")]
    with np.load(folder / recordings.NAME, allow_pickle=False) as file:
        told += [*file.files, *(file[name].tobytes().decode() for name in file.files if not name.endswith(".numbers"))]
    return "\n".join(told)


def expected_numbers(row, case):
    """But for trained parameters: a unit that never fires keeps its starting values."""
    outputs = loaded(row.assignment).expected(row)[case.name]
    return fractions(array for name, array in outputs.items() if not name.startswith("parameters"))


def given_numbers(row, case):
    return fractions(leaf for leaf in row.given(case).values() if isinstance(leaf, np.ndarray))


def known_numbers(assignment):
    """Starting values, brightness of pixels, and what the assignment's own public cases have."""
    own = [(row, case) for row in rows(assignment).values() for case in row.public_cases]
    starts = [exercise(key) for key in KEYS if "/initialize_parameters" in key]
    return fractions([np.arange(256) / 255]).union(
        *(expected_numbers(*one) | given_numbers(*one) for one in own),
        *(expected_numbers(row, case) for row in starts for case in row.cases),
    )


def fractions(arrays):
    """The numbers that nobody meets by chance: with ten digits, and no whole ones or short decimals."""
    every = np.concatenate([np.zeros(0), *(np.ravel(array).astype(float) for array in arrays)])
    return {f"{value:.10g}" for value in every[np.isfinite(every) & (every != np.round(every, 6))]}


# --- as a student has it ------------------------------------------------------------------------------------------


ALONE = """\
import json, sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in {gone!r} else find(name, *rest)
sys.path[:] = [folder for folder in sys.path if folder != {root!r}]  # where an installed coursekit finds the course
"""


def alone(folder, code, gone=()):
    """What is printed in a fresh process with nothing of the course but this folder."""
    start = ALONE.format(gone={"coursekit", *gone}, root=str(COURSE.root))
    run = subprocess.run([sys.executable, "-c", start + code], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def handed_out(tmp_path, assignment):
    return shutil.copytree(COURSE.release(assignment), tmp_path / "my folder")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_what_the_notebook_imports_is_there_and_comes_from_its_folder(assignment, handed_out):
    """``testCases``, ``dnn_utils`` and ``public_tests`` with all their names, in a fresh Python."""
    cells = json.loads((handed_out / f"{assignment}.ipynb").read_text(encoding="utf-8"))["cells"]
    lines = [notebooks.imports(text(cell)) for cell in cells if cell["cell_type"] == "code"]
    assert "from public_tests import *" in "\n".join(lines)
    assert re.search(r"(?m)^from dnn_utils import \w", "\n".join(lines))
    used = ["from testCases import *", "from dnn_utils import *", "from public_tests import *"]
    report = """
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(json.dumps([files, sorted(globals())]))
"""
    files, names = json.loads(alone(handed_out, "\n".join([*lines, *used]) + report))

    for module in ("cases", "dnn_utils", "dnn.figures", "public_tests", "selfcheck.testing", "testCases"):
        assert files[module] == str(handed_out / f"{module.replace('.', '/')}.py")
    assert not [file for file in files.values() if file and file.startswith(f"{COURSE.root / 'source'}")]
    assert {row.test for row in rows(assignment).values()} <= set(names)
    assert not {exercise(key).test for key in KEYS if not key.startswith(f"{assignment}/")} & set(names)
    assert {f"{name}_case" for name in ("predict_test", "digits_relu_test")} <= set(names)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_what_is_recorded_can_be_read_where_h5py_cannot_be_imported(assignment, handed_out):
    code = """
from public_tests import SUITE
from selfcheck import recordings
every = {one.function: recordings.outputs(SUITE.recorded, one.function) for one in SUITE.exercises}
told = [one.hint for name in every for one in recordings.mistakes(SUITE.recorded, name)]
print(json.dumps([{name: sorted(cases) for name, cases in every.items()}, told, "h5py" in sys.modules]))
"""
    cases, told, loaded_h5py = json.loads(alone(handed_out, code, gone=["h5py"]))

    assert cases == {
        name: sorted(case.name for case in row.public_cases if not case.raises)
        for name, row in rows(assignment).items()
    }
    catalogue = [mistake for name in rows(assignment) for mistake in mistakes_of(f"{assignment}/{name}")]
    assert told == [mistake.hint for mistake in catalogue if mistake.visible]
    assert not loaded_h5py

"""The whole of ``coursekit check``, and its gates: a real grading of a clean course and of a broken one."""

import json
import re
import shutil
from pathlib import Path

import pytest

from coursekit import checks, grade, notebooks, release
from coursekit.checks import CODES, gates
from coursekit.checks.findings import Finding, Source
from coursekit.course import Course
from tests.classroom import ASSIGNMENT, ROOT, copy_course, solution_cells

NOTEBOOK = f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"


def course_with_docs(folder):
    """A scratch course with a page of its own, and a release that was made just now."""
    course = copy_course(folder)
    (folder / "README.md").write_text("# A course\n", encoding="utf-8")
    shutil.copyfile(ROOT / ".gitignore", folder / ".gitignore")
    release.release(course, ASSIGNMENT)
    return course


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """Findings and figures of a clean course."""
    said = []
    return checks.run(course_with_docs(tmp_path_factory.mktemp("clean")), say=said.append), said


def test_a_clean_course_has_no_findings(clean):
    assert [str(finding) for finding in clean[0]] == []


def test_the_gates_say_their_figures(clean):
    figures = [re.sub(r" \(\d+\.\d s\)$", "", line) for line in clean[1]]
    assert figures == [  # in the last one ten points are a person's to give
        "step-by-step: solution 100 of 100, untouched release 0 of 100",
        "application: solution 100 of 100, untouched release 0 of 100",
        "digits: solution 90 of 100, untouched release 0 of 100",
    ]


def edit(path, changes):
    """Change sources of cells, by id."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["id"] in changes:
            cell["source"] = changes[cell["id"]]("".join(cell["source"]))
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """Findings of the gates where an exercise is wrong, one is given away, and three cells are not silent."""
    course = course_with_docs(tmp_path_factory.mktemp("broken"))
    answer = solution_cells(course)["compute-cost"]
    changes = {
        "linear-forward": lambda text: text.replace("Z = W @ A + b", "Z = W @ A"),
        "imports": lambda text: text + "\n1 / 0",
        "compute-cost-test": lambda text: "import sys; print('careful', file=sys.stderr)\n" + text,
        "update-parameters-test": lambda text: text.replace("### BEGIN", "t_grads\n### BEGIN"),
    }
    edit(course.source(ASSIGNMENT), changes)
    edit(course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", {"compute-cost": lambda _: answer})
    path = course.source(ASSIGNMENT)
    source = Source(ASSIGNMENT, path, NOTEBOOK, notebooks.read(path))
    return gates.check(course, [source], lambda text: None)


def where(findings, code):
    return {finding.where for finding in findings if finding.code == code}


def test_a_wrong_solution_is_found_with_its_reason(broken):
    """No double jeopardy or not: the exercise itself must be among those that lose marks."""
    assert f"{NOTEBOOK}[linear-forward]" in where(broken, "G701")
    reason = next(finding.what for finding in broken if finding.where == f"{NOTEBOOK}[linear-forward]")
    assert re.match(r"the solution earns [\d.]+ of 10 \(.+\)", reason)


def test_a_release_that_earns_marks_is_found(broken):
    assert where(broken, "G702") == {f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb[compute-cost]"}


@pytest.mark.parametrize(
    ("cell_id", "what"),
    [
        ("imports", "raises ZeroDivisionError"),
        ("compute-cost-test", "writes on stderr: careful"),
        ("update-parameters-test", "displays a value"),
    ],
)
def test_a_cell_that_is_not_silent_is_found(broken, cell_id, what):
    found = [finding.what for finding in broken if finding.code == "G703" and finding.where == f"{NOTEBOOK}[{cell_id}]"]
    assert found
    assert found[0].startswith(what)


def test_a_grader_that_fails_is_a_finding(scratch, monkeypatch):
    def fail(*_):
        raise RuntimeError("no space left")

    monkeypatch.setattr(grade, "grade", fail)
    source = Source(ASSIGNMENT, scratch.source(ASSIGNMENT), NOTEBOOK, notebooks.read(scratch.source(ASSIGNMENT)))
    (finding,) = gates.check(scratch, [source, source], lambda text: None)[:1]
    assert (finding.code, finding.what) == ("G704", "RuntimeError: no space left")


def test_one_broken_assignment_does_not_hide_the_others(scratch, monkeypatch):
    """Junk in a second assignment is one finding; the first is still looked at in full."""
    monkeypatch.setattr(release, "stale", lambda *_: ["a.py"])
    (scratch.root / "README.md").write_text("[x](gone.md)", encoding="utf-8")
    junk = scratch.source("junk")
    junk.parent.mkdir()
    junk.write_bytes(b"\x89PNG\x00\xff")
    edit(scratch.source(ASSIGNMENT), {"linear-forward": lambda text: text.replace("# YOUR CODE ENDS HERE", "")})
    found = {finding.code for finding in checks.run(scratch, gates=False)}
    assert {"N101", "N108", "M201", "D401", "R501", "R506"} <= found


def test_a_course_with_nothing_in_it_has_findings_and_no_traceback(tmp_path):
    found = {finding.code for finding in checks.run(Course(tmp_path))}
    assert {"N101", "D406", "X601"} <= found


def test_fix_mends_first_and_checks_afterwards(scratch):
    path = scratch.source(ASSIGNMENT)
    before = path.read_bytes()
    edit(path, {})
    said = []
    findings = checks.run(scratch, fix=True, gates=False, say=said.append)
    assert path.read_bytes() == before
    assert said == [f"fixed {NOTEBOOK}: not the canonical order, spacing or line ends of JSON"]
    assert not [finding for finding in findings if finding.code.startswith("N")]


def test_a_finding_says_where_what_what_to_do_and_its_code():
    assert str(Finding("N106", "a.ipynb[x]", "outputs", "clear them")) == "a.ipynb[x]: outputs; clear them  (N106)"


def test_every_code_has_a_line_and_a_test():
    """A code that no test makes appear may never appear at all."""
    texts = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_checks_*.py"))
    modules = "".join(path.read_text(encoding="utf-8") for path in Path(checks.__file__).parent.glob("*.py"))
    used = set(re.findall(r'"([A-Z]\d{3})"', modules))
    assert used == set(CODES)
    assert not [code for code in CODES if f'"{code}"' not in texts]

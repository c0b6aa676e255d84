"""Canonical form: what departs from it is named, ``--fix`` writes it, and never at the cost of a word."""

import ast
import json
import re
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from coursekit.authoring.checks import form
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from tests import toy
from tests.toy import ASSIGNMENT

MENDED = {"N102", "N105", "N106", "N107", "N108"}


def look(course, fix=False):
    said = []
    _, findings = form.read_all(course, fix, said.append)
    return findings, said


def codes(course):
    return {finding.code for finding in look(course)[0]}


def edit(course, change):
    """Change the source notebook as a dict, and write it as Jupyter would."""
    path = course.source(ASSIGNMENT)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def code_cell(notebook):
    return next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")


@pytest.fixture
def scratch(tmp_path):
    """A toy course for one test."""
    return toy.toy_course(tmp_path / "course")


def test_the_source_notebooks_are_in_canonical_form(course):
    assert look(course)[0] == []


@pytest.mark.parametrize(
    ("module", "text", "where", "what"),
    [
        ("cases", "1 / 0", "source/other/cases.py", "it cannot be used (ZeroDivisionError"),
        ("exercises", "", "source/other", "predict_line has no points"),
    ],
)
def test_files_that_cannot_be_used_or_do_not_agree_are_found(scratch, module, text, where, what):
    """The other assignments are looked at all the same, and so is this one's notebook."""
    toy.add_assignment(scratch, "other")
    folder = scratch.folder("other") if module == "cases" else scratch.hidden("other")
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    sources, findings = form.read_all(scratch, False, print)
    assert {finding.code for finding in findings} == {"E300"}
    assert findings[0].where == where
    assert findings[0].what.startswith(what)
    assert [bool(source.exercises) for source in sources] == [True, module != "cases"]


CHANGES = {
    "N102": lambda notebook: notebook.update(nbformat_minor=4),
    "N105": lambda notebook: next(c for c in notebook["cells"] if "nbgrader" in c["metadata"]).update(
        id="something-else"
    ),
    "N106": lambda notebook: code_cell(notebook).update(execution_count=3),
    "N107": lambda notebook: code_cell(notebook)["metadata"].update(collapsed=True),
    "N108": lambda notebook: code_cell(notebook).update(source="import numpy as np  \n"),
}


@pytest.mark.parametrize("code", CHANGES)
def test_fix_mends_and_says_what(scratch, code):
    """Each departure has its code, is fixed, is said, and leaves the file as it was before."""
    path = scratch.source(ASSIGNMENT)
    before = path.read_bytes()
    edit(scratch, CHANGES[code])
    assert code in codes(scratch)

    findings, said = look(scratch, fix=True)

    assert findings == []
    assert said
    assert all(line.startswith(f"fixed source/{ASSIGNMENT}/") for line in said)
    assert code == "N108" or path.read_bytes() == before
    assert not list(path.parent.glob("*.part"))


def test_fix_leaves_the_old_file_when_the_new_one_cannot_be_written(scratch, monkeypatch):
    """A full disk must not cost the author the notebook."""

    def fail(*_):
        raise OSError("no space left on device")

    path = edit(scratch, CHANGES["N106"])
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CourseError, match=r"cannot be written \(no space left on device\); make it writable"):
        look(scratch, fix=True)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.part"))


def test_fix_writes_nothing_when_there_is_nothing_to_mend(scratch):
    path = scratch.source(ASSIGNMENT)
    before = path.stat().st_mtime_ns
    assert look(scratch, fix=True) == ([], [])
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("prefix", ["\ufeff", "\n"])
def test_spacing_of_the_file_itself_is_fixed(scratch, prefix):
    """A byte-order mark, another indentation or Windows line ends change nothing that a person wrote."""
    path = scratch.source(ASSIGNMENT)
    before = path.read_bytes()
    path.write_bytes(prefix.encode() + before.replace(b"\n", b"\r\n"))
    assert codes(scratch) == {"N108"}
    look(scratch, fix=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "Linear",
        "a_b",
        "3f2a9c1e",
        "cell-1a2b3c4d5e6f",
        "cell-12",
        "c0ffee00-1234-5678-9abc-def012345678",
        "a b",
    ],
)
def test_an_id_that_says_nothing_is_left_to_a_person(scratch, name):
    edit(scratch, lambda notebook: notebook["cells"][0].update(id=name))
    findings, _ = look(scratch, fix=True)
    assert [finding.code for finding in findings] == ["N103"]


def test_a_missing_id_is_not_made_up_at_random(scratch):
    """nbformat gives random ids; two runs of the fix must agree."""
    path = edit(scratch, lambda notebook: notebook["cells"][5].pop("id"))
    assert [finding.code for finding in look(scratch, fix=True)[0]] == ["N103"]
    assert json.loads(path.read_text(encoding="utf-8"))["cells"][5]["id"] == "cell-6"


def test_a_repeated_id_stays_a_finding(scratch):
    """Which of two cells keeps its name is for the author to say; the fix must not rename one at random."""
    edit(scratch, lambda notebook: notebook["cells"][0].update(id=notebook["cells"][1]["id"]))
    assert [finding.code for finding in look(scratch, fix=True)[0]] == ["N104"]
    assert codes(scratch) == {"N104"}


def test_a_grade_id_that_cannot_be_an_id_does_not_replace_one(scratch):
    def change(notebook):
        next(c for c in notebook["cells"] if "nbgrader" in c["metadata"])["metadata"]["nbgrader"]["grade_id"] = (
            "no good!"
        )

    edit(scratch, change)
    assert [finding.code for finding in look(scratch, fix=True)[0]] == ["N105"]


def cells_of(*cells):
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


BROKEN = {
    "junk": b"\x89PNG\x00\xff\xfe",
    "empty": b"",
    "cut off": b'{"cells": [',
    "a list": b"[]",
    "no cells": b'{"nbformat": 4, "cells": 7}',
    "deeply nested": b"[" * 100_000,
    "source is a number": cells_of({"cell_type": "code", "source": 7, "metadata": {}}),
    "a cell is text": cells_of("text"),
    "a key twice": b'{"cells": [{"cell_type": "raw", "source": "a", "source": "b", "metadata": {}}]}',
    "half a character": cells_of({"cell_type": "raw", "source": "\ud800", "metadata": {}, "id": "x"}),
    "invalid tags": cells_of({"cell_type": "raw", "source": "a", "metadata": {"tags": 7}, "id": "x"}),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_notebook_is_a_finding_and_stays_as_it_is(scratch, damage):
    """Mending what cannot be read would lose somebody's text."""
    path = scratch.source(ASSIGNMENT)
    path.write_bytes(BROKEN[damage])
    findings, said = look(scratch, fix=True)
    assert [finding.code for finding in findings] == ["N101"]
    assert "\n" not in str(findings[0])
    assert path.read_bytes() == BROKEN[damage]
    assert said == []


def test_a_missing_notebook_of_the_table_is_a_finding(scratch):
    scratch.source(ASSIGNMENT).unlink()
    assert codes(scratch) == {"N101"}


def test_a_course_without_source_folder_is_told_so(tmp_path):
    assert codes(Course(tmp_path)) == {"N101"}


def test_a_stray_notebook_is_named(scratch):
    path = scratch.source(ASSIGNMENT).with_name("Untitled.ipynb")
    path.write_text("{}", encoding="utf-8")
    assert [(f.code, f.where) for f in look(scratch)[0]] == [("N109", f"source/{ASSIGNMENT}/Untitled.ipynb")]


def test_a_finding_reads_file_cell_what_to_do_code(scratch):
    edit(scratch, CHANGES["N106"])
    (finding,) = look(scratch)[0]
    assert re.fullmatch(r"source/[\w/.-]+\[[a-z-]+\]: .+; run `\./course check --fix`  \(N106\)", str(finding))


def test_an_older_format_is_upgraded_with_all_its_text(scratch):
    """nbformat 3 has worksheets, headings and inputs."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": "A heading", "metadata": {}},
        {"cell_type": "code", "input": ["x = 1\n", "x"], "outputs": [], "language": "python", "metadata": {}},
    ]
    old = {
        "worksheets": [{"cells": cells, "metadata": {}}],
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
    }
    path = scratch.source(ASSIGNMENT)
    path.write_text(json.dumps(old), encoding="utf-8")
    assert {finding.code for finding in look(scratch, fix=True)[0]} == {"N103"}  # nobody named these cells yet
    assert [cell.source for cell in notebooks.read(path).cells] == ["## A heading", "x = 1\nx"]


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("markdown", "one  \ntwo", "one  \ntwo"),  # a line break
        ("markdown", "one    \ntwo \nthree\t", "one  \ntwo\nthree"),
        ("markdown", "one\\ \ntwo", "one\\ \ntwo"),  # without the blank it would be a line break
        ("code", "x = 1  \ny = 2", "x = 1\ny = 2"),
        ("code", 'x = """a  \nb"""  ', 'x = """a  \nb"""'),  # inside a string
        ("code", 'x = f"""a  \n{1}  \nb"""  ', 'x = f"""a  \n{1}  \nb"""'),
        ("code", "%%writefile a.txt\nb  ", "%%writefile a.txt\nb  "),
        ("code", "%matplotlib inline  \nx = 1  ", "%matplotlib inline\nx = 1"),
        ("raw", "a  \n", "a  \n"),
    ],
)
def test_only_blanks_that_mean_nothing_are_taken_away(kind, source, expected):
    cell = {"cell_type": kind, "source": source, "metadata": {}, "id": "a"}
    assert notebooks.canonical(notebooks.parse(cells_of(cell).decode(), "x")).cells[0].source == expected


LINES = st.lists(
    st.text(" \t`#-*\\>|[]()$_\"'=+%;:ab1é\u2028\x0b\r", max_size=8)
    | st.sampled_from(
        ["x = 1  ", "def f():", "    return 2 ", '"""', "```", "two  ", "* a ", "    code  ", "%%bash", ""]
    ),
    max_size=6,
)
SOURCES = LINES.map("\n".join)
JUNK = st.dictionaries(
    st.sampled_from(["tags", "collapsed", "jp", "nbgrader"]), st.sampled_from([{}, {"a": 1}]), max_size=2
)


@st.composite
def raw_cells(draw):
    kind = draw(st.sampled_from(["code", "markdown", "raw"]))
    metadata = {name: value for name, value in draw(JUNK).items() if name != "tags"}
    cell = {"cell_type": kind, "source": draw(SOURCES), "metadata": metadata}
    if draw(st.booleans()):
        cell["source"] = cell["source"].splitlines(keepends=True)
    if draw(st.booleans()):
        cell["id"] = draw(st.sampled_from(["a", "b-2", "Bad", "0a1b2c3d"]))
    if kind == "code":
        cell |= {"outputs": [], "execution_count": draw(st.sampled_from([None, 3]))}
    return cell


def words(cells):
    return [[line.rstrip() for line in re.split(r"\r\n|\n", text)] for text in ("".join(c["source"]) for c in cells)]


def trimmed(lines):
    return "\n".join(lines).strip("\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(raw_cells(), max_size=4))
def test_fixing_keeps_every_source_and_doing_it_again_changes_nothing(cells):
    """Whatever a person wrote comes back, but for blanks at the ends of lines and empty lines around it."""
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        path = course.source(ASSIGNMENT)
        path.parent.mkdir(parents=True)
        path.write_bytes(cells_of(*cells))

        look(course, fix=True)
        once = path.read_bytes()
        again, said = look(course, fix=True)

        after = json.loads(once)["cells"]
        assert list(map(trimmed, words(after))) == list(map(trimmed, words(cells)))
        assert [cell["cell_type"] for cell in after] == [cell["cell_type"] for cell in cells]
        assert path.read_bytes() == once
        assert said == []
        assert not MENDED & {finding.code for finding in again}


def canonical_source(kind, source):
    cell = {"cell_type": kind, "source": source, "metadata": {}, "id": "a"}
    return notebooks.canonical(notebooks.parse(cells_of(cell).decode(), "x")).cells[0].source


def rendered(source):
    """What a reader sees: blanks at the ends of lines and around a piece of inline code do not show."""
    html = MarkdownIt("commonmark").render(source)
    html = re.sub(r"[ \t]+(?=\n)|(?<!<pre><code>)(?<=<code>)\s+|\s+(?=</code>)", "", html)
    return re.sub(r"[ \t]+", " ", html).strip()


@settings(max_examples=300, deadline=None)
@given(LINES.map(lambda lines: "\n".join(line.replace("\r", "") for line in lines)))
def test_markdown_means_the_same_afterwards(source):
    """Two blanks at the end of a line are a line break; a Markdown renderer is the judge."""
    assert rendered(canonical_source("markdown", source)) == rendered(source)


@settings(max_examples=300, deadline=None)
@given(SOURCES)
def test_code_means_the_same_afterwards(source):
    """Python's own parser is the judge: every string keeps its value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = ast.dump(ast.parse(source))
        except (SyntaxError, ValueError):
            return
        assert ast.dump(ast.parse(canonical_source("code", source))) == before

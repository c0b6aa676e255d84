"""What the docs name must exist: files, headings, commands, options; and nothing of somebody's machine."""

import json

import pytest
import typer.main

from coursekit.authoring.checks import commands, docs, markdown
from coursekit.authoring.checks.findings import Source
from coursekit.cli import app
from coursekit.model import notebooks
from coursekit.model.course import Course
from tests.classroom import ASSIGNMENT

OURS = commands.of(typer.main.get_command(app.app))


@pytest.fixture
def small(tmp_path):
    """A course with a page, a module, and an assignment."""
    for name in (
        "README.md",
        "dnn_utils.py",
        "coursekit/__main__.py",
        "source/a/README.md",
        "source/a/requirements.txt",
        "release/a/dnn_utils.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("# made by grading\nsubmitted/\ngradebook.db\n*.log\n", encoding="utf-8")
    return Course(tmp_path)


def check(course, text, page="README.md"):
    (course.root / page).write_text(text, encoding="utf-8")
    return [(finding.code, finding.where) for finding in docs.check(course, [], OURS)]


def codes(course, text, page="README.md"):
    return [code for code, _ in check(course, text, page)]


def test_the_docs_of_this_course_name_what_exists(course):
    sources = [
        Source(name, course.source(name), name, notebooks.read(course.source(name))) for name in course.assignments()
    ]
    assert [str(finding) for finding in docs.check(course, sources, OURS)] == []


@pytest.mark.parametrize(
    "link",
    [
        "[x](nowhere.md)",
        "![x](images/a.png)",
        "[x]: gone.md\n\n[x]",
        '<img src="a.png">',
        "[x](/README.md)",
        "[x](../outside.md)",
        "<p>\n<a href='gone'>x</a>\n</p>",
        "[x](%20)",
    ],
)
def test_a_link_that_leads_nowhere_is_found(small, link):
    assert codes(small, link) == ["D401"]


@pytest.mark.parametrize(
    "link",
    [
        "[x](dnn_utils.py)",
        "[x](coursekit/)",
        "[x](./README.md?plain=1)",
        "[x](https://no.where/a.md)",
        "[x](mailto:a@b.c)",
        "<https://no.where>",
        "[x](source/a/README.md#)",
    ],
)
def test_a_link_that_leads_somewhere_is_fine(small, link):
    assert codes(small, link) == []


def test_a_finding_names_the_line(small):
    assert check(small, "# A\n\ntext\n\n[x](gone.md)\n") == [("D401", "README.md[line 5]")]


def test_links_of_an_assignment_lead_from_the_release_too(small):
    """Students read that page beside the shared modules."""
    assert codes(small, "[x](dnn_utils.py)", "source/a/README.md") == []
    assert codes(small, "[x](testCases.py)", "source/a/README.md") == ["D401"]


@pytest.mark.parametrize("anchor", ["the-first-one", "the-first-one-1", "what-is-x_1-really", "here"])
def test_a_link_to_a_heading_is_fine(small, anchor):
    page = "# The first one\n# The *first* one\n## What is `x_1`, really?\n<a id='here'></a>\n"
    assert codes(small, f"{page}[x](#{anchor})") == []


@pytest.mark.parametrize("href", ["#the-second", "source/a/README.md#the-first"])
def test_a_link_to_a_heading_that_is_not_there_is_found(small, href):
    assert codes(small, f"# The first\n[x]({href})") == ["D402"]


@pytest.mark.parametrize(
    "name", ["gone.py", "coursekit/gone.py", "coursekit/gone", "gone/", "./gone.ipynb", "source/b/"]
)
def test_a_file_that_does_not_exist_is_found(small, name):
    assert codes(small, f"See `{name}`.") == ["D403"]


@pytest.mark.parametrize(
    "name",
    [
        "dnn_utils.py",
        "coursekit/__main__.py",
        "__main__.py",
        "coursekit/",
        "./course",
        "source/<a>/<a>.ipynb",
        "*.ipynb",
        "submitted/ada/a/",
        "gradebook.db",
        "x.log",
        "marks.csv",
        "dW/m",
        "db",
        "1/m",
        "jupyter/nbgrader#174",
        "np.zeros",
        "A_prev.T",
        "python x.py",
        "a/b",
    ],
)
def test_names_that_are_no_missing_files_are_fine(small, name):
    assert codes(small, f"See `{name}`.") == []


@pytest.mark.parametrize(
    "path",
    ["/home/ada/course", "/Users/ada/x", "/tmp/kit/x.md", "C:\\Users\\ada", "file:///x/y", "C:/Users/a"],
)
def test_a_path_of_somebodys_machine_is_found(small, path):
    assert codes(small, f"Look at {path} there.") == ["D404"]
    assert codes(small, f"```\n{path}\n```") == ["D404"]


@pytest.mark.parametrize(
    "path", ["https://a.b/home/x", "/path/to/python3", "work/home/x", "~/course", "#!/usr/bin/env python3"]
)
def test_other_paths_are_fine(small, path):
    assert codes(small, f"Look at {path} there.") == []


@pytest.mark.parametrize(
    "call",
    [
        "`./course gradde x`",
        "```sh\n$ ./course check && ./course chekc\n```",
        "`coursekit gone`",
        "`./course check --fixx`",
        "    python -m coursekit gone",
        "`COURSE_PYTHON=x ./course gone`",
    ],
)
def test_a_command_that_does_not_exist_is_found(small, call):
    assert codes(small, call) == ["D405"]


@pytest.mark.parametrize(
    "call",
    [
        "`./course`",
        "`./course check --fix`",
        "`coursekit marks [ASSIGNMENT] [--csv FILE]`",
        "`./course --help`",
        "`./course test -k one --maxfail=1`",
        "`./course <command>`",
        "`coursekit.authoring.checks`",
        "`coursekit/`",
        "```sh\n./course lab --student   # gone --away\n```",
        "```python\nfrom coursekit import gone\n```",
        "The coursekit grades.",
    ],
)
def test_commands_that_exist_are_fine(small, call):
    assert codes(small, call) == []


def test_a_command_that_takes_what_it_gets_has_any_option():
    assert OURS["test"] is None
    assert {"--fix", "--help"} <= OURS["check"]


def test_a_missing_or_unreadable_page_is_found(small):
    (small.root / "README.md").unlink()
    (small.root / "CHANGELOG.md").write_bytes(b"\xff\xfe\x00")
    assert [(f.code, f.where) for f in docs.check(small, [])] == [
        ("D406", "CHANGELOG.md"),
        ("D406", "README.md"),
    ]


def notebook(course, *texts):
    cells = [{"id": f"c{n}", "cell_type": "markdown", "metadata": {}, "source": text} for n, text in enumerate(texts)]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    parsed = notebooks.canonical(notebooks.parse(text, "x"))
    return Source("a", course.source("a"), "source/a/a.ipynb", parsed)


def test_the_texts_of_a_notebook_are_read_cell_by_cell(small):
    source = notebook(small, "# Part one", "[up](#Part-one) [up](#part-one) `dnn_utils.py`", "[x](gone.md) `gone.py`")
    (source.path.parent / "requirements.txt").unlink(missing_ok=True)
    assert [(f.code, f.where) for f in docs.check(small, [source])] == [
        ("D407", "source/a"),
        ("D401", "source/a/a.ipynb[c2]"),
        ("D403", "source/a/a.ipynb[c2]"),
    ]
    (source.path.parent / "requirements.txt").write_text("numpy\n")
    assert [finding.code for finding in docs.check(small, [source])] == ["D401", "D403"]


def test_mathematics_is_no_link(small):
    """$a^{[2](5)}$ is unit and example, not a link to 5."""
    source = notebook(small, "$a^{[2](5)}_{3}$ and\n$$\nx^{[L](i)}\n$$\n`$ [1](2)` costs 5 $ or [x](gone.md)")
    (source.path.parent / "requirements.txt").write_text("numpy\n")
    assert [finding.code for finding in docs.check(small, [source])] == ["D401"]


def test_code_is_no_link():
    page = markdown.read("`[x](y)` and\n\n```\n[x](y)\n# no heading\n```\n")
    assert page.links == ()
    assert page.anchors == frozenset()


def test_an_assignment_page_is_checked(small):
    assert check(small, "`gone.py`", "source/a/README.md") == [("D403", "source/a/README.md[line 1]")]
    assert ASSIGNMENT not in str(check(small, ""))

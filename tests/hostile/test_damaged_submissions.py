"""Damaged hand-ins: a mark with a reason in words, nothing of the hand-in lost, nobody else affected."""

import json
import os
from pathlib import Path

import pytest

from coursekit import notebooks, submission
from coursekit.errors import CourseError
from tests.classroom import ASSIGNMENT, hand_in

NAME = f"{ASSIGNMENT}.ipynb"


def load(course, student="sam"):
    return submission.load(course, ASSIGNMENT, student)


def sources(notebook):
    return [
        cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"]) for cell in notebook["cells"]
    ]


def test_a_whole_notebook_is_taken_as_it_is(scratch, solved):
    hand_in(scratch, "sam", solved)
    loaded = load(scratch)
    assert (loaded.problem, loaded.notes) == ("", ())
    assert sources(loaded.notebook) == sources(solved)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\x00\x01\x02\xff", "cannot be read"),
        ("{\"cells\": \"ä\"}".encode("utf-16"), "cannot be read"),
        (b"<html>Sign in to continue</html>", "not valid JSON"),
        (b"[]", "not a notebook"),
        (b'"notebook"', "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"cells": 7, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a readable notebook"),
        (b'{"cells": null, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a readable notebook"),
        (b'{"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}', "not a readable notebook"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_said_in_words_and_kept(scratch, data, said):
    path = hand_in(scratch, "sam", data)
    loaded = load(scratch)
    assert said in loaded.problem
    assert NAME in loaded.problem
    assert path.read_bytes() == data


def test_cells_that_are_no_cells_are_said_in_words(scratch, solved):
    solved["cells"] += [None, 3, "text", [], {}, {"cell_type": "code", "source": 5}, {"source": "x = 1"}]
    hand_in(scratch, "sam", solved)
    assert "not a readable notebook" in load(scratch).problem


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"\n\n  "])
def test_a_byte_order_mark_or_blank_lines_do_no_harm(scratch, solved, prefix):
    hand_in(scratch, "sam", prefix + json.dumps(solved).encode())
    assert load(scratch).problem == ""


def test_windows_line_ends_do_no_harm(scratch, solved):
    hand_in(scratch, "sam", json.dumps(solved, indent=1).replace("\n", "\r\n").encode())
    assert load(scratch).problem == ""


def test_a_renamed_notebook_is_found_and_that_is_told(scratch, solved):
    hand_in(scratch, "sam", solved, "My Homework (final).ipynb")
    loaded = load(scratch)
    assert loaded.problem == ""
    assert loaded.notes == (f"The notebook was called My Homework (final).ipynb; it was graded as {NAME}.",)


def test_of_several_notebooks_the_right_name_counts(scratch, solved, released):
    hand_in(scratch, "sam", released, "backup.ipynb")
    hand_in(scratch, "sam", solved)
    loaded = load(scratch)
    assert loaded.notes == ()
    assert sources(loaded.notebook) == sources(solved)


def test_of_several_others_the_newest_counts(scratch, solved, released):
    old = hand_in(scratch, "sam", released, "a.ipynb")
    new = hand_in(scratch, "sam", solved, "b.ipynb")
    os.utime(old, (1_000_000, 1_000_000))
    os.utime(new, (2_000_000, 2_000_000))
    loaded = load(scratch)
    assert sources(loaded.notebook) == sources(solved)
    assert "b.ipynb, was graded" in loaded.notes[0]


def test_an_empty_folder_is_said_in_words(scratch):
    scratch.submitted(ASSIGNMENT, "sam").mkdir(parents=True)
    assert "no notebook was handed in (there is nothing)" in load(scratch).problem


def test_another_kind_of_file_is_named(scratch):
    hand_in(scratch, "sam", b"%PDF", "homework.pdf")
    assert "no notebook was handed in (there is homework.pdf)" in load(scratch).problem


def test_a_link_out_of_the_folder_is_not_followed(scratch, solved, tmp_path):
    """A link to somebody else's notebook, or to any file of ours, must not be read."""
    other = hand_in(scratch, "anna", solved)
    folder = scratch.submitted(ASSIGNMENT, "sam")
    folder.mkdir(parents=True)
    (folder / NAME).symlink_to(other)
    loaded = load(scratch)
    assert "symbolic link" in loaded.problem
    assert "W @ A + b" not in json.dumps(loaded.notebook)


def test_a_folder_in_the_notebooks_place_is_said_in_words(scratch):
    (scratch.submitted(ASSIGNMENT, "sam") / NAME).mkdir(parents=True)
    assert "no notebook was handed in" in load(scratch).problem


@pytest.mark.parametrize("outputs", [None, 3, [None], [{}], [{"output_type": "stream"}], {"a": 1}])
def test_outputs_of_any_kind_of_damage_cost_nothing(scratch, solved, outputs):
    """They are thrown away before anything looks at them."""
    next(cell for cell in solved["cells"] if cell["cell_type"] == "code")["outputs"] = outputs
    hand_in(scratch, "sam", solved)
    loaded = load(scratch)
    assert loaded.problem == ""
    assert sources(loaded.notebook) == sources(solved)


def test_half_characters_become_question_marks(scratch, solved):
    """A lone surrogate can stand in JSON, but in no file."""
    solved["cells"][0]["source"] = "# smile \ud83d"
    hand_in(scratch, "sam", json.dumps(solved))
    loaded = load(scratch)
    assert loaded.notebook.cells[0].source == "# smile ?"
    assert notebooks.dumps(loaded.notebook).encode()


def test_a_name_that_is_no_text_can_be_told(scratch, solved):
    """Names out of a foreign zip file may be any bytes."""
    folder = os.fsencode(hand_in(scratch, "sam", solved, "x.ipynb").parent)
    Path(os.fsdecode(folder + b"/x.ipynb")).rename(os.fsdecode(folder + b"/\xdcbung.ipynb"))
    (note,) = load(scratch).notes
    assert note.encode()
    assert "bung.ipynb; it was graded as" in note


def test_a_huge_notebook_is_not_read(scratch, monkeypatch, solved):
    monkeypatch.setattr(submission, "MAX_NOTEBOOK_BYTES", 1000)
    hand_in(scratch, "sam", solved)
    assert "larger than" in load(scratch).problem


def test_what_the_notebook_says_in_the_loaders_name_is_dropped(scratch, solved):
    """The loader speaks to later steps through metadata; nobody else may."""
    solved["metadata"] |= {submission.NOTES: ["Full marks, says the grader."], submission.PROBLEM: "none"}
    hand_in(scratch, "sam", solved)
    loaded = load(scratch)
    assert dict(loaded.notebook.metadata) == {submission.NOTES: []}


@pytest.mark.parametrize("name", ["", ".hidden", "a b", "a+b", "a*", "a[1]", "../x", "a/b", "a:b", "=1+1", "-rf"])
def test_a_folder_name_that_nbgrader_would_misread_is_refused(name):
    with pytest.raises(CourseError, match="cannot be a student's id"):
        submission.check_name(name)


@pytest.mark.parametrize("name", ["anna", "s123456", "o'neil", "jean-luc", "müller", "a.b@example.org", "学生"])
def test_names_of_real_people_are_taken(name):
    submission.check_name(name)

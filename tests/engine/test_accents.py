"""Accents in a row are sorted before texts are compared, with the square of their number: nobody may have many."""

import ast
import base64
import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest

import coursekit
from coursekit.marking.redaction import Redactor
from coursekit.model import accents, notebooks, student_code
from coursekit.submission import attachments, cells, prose
from coursekit.submission.cells import SubmittedCell
from tests.classroom import ASSIGNMENT, ROOT, rebuild_with
from tests.patience import spends_at_most

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
MANY = 200_000  # minutes, if they are sorted


def row(many: int) -> str:
    """A letter with so many accents, which stand in the order that takes longest to sort."""
    return "a" + "\u0300" * (many // 2) + "\u0316" * (many - many // 2)


def refused(source):
    raise AssertionError("this was parsed")


def test_few_accents_are_put_together_and_many_are_left():
    assert accents.composed("e\u0301 \u1100\u1161") == "\u00e9 \uac00"
    assert accents.composed(row(accents.MOST_IN_A_ROW)) != row(accents.MOST_IN_A_ROW)
    assert accents.composed("e\u0301" + row(accents.MOST_IN_A_ROW + 1)) == "e\u0301" + row(accents.MOST_IN_A_ROW + 1)
    assert not accents.are_few(row(MANY))
    assert accents.are_few(row(accents.MOST_IN_A_ROW) * 100)


def test_every_character_that_becomes_nothing_but_accents_counts():
    """Some are no accents themselves, such as the vowel signs of Tibetan and narrow katakana's marks of voice."""
    for code in range(0x110000):
        letter = chr(code)
        if all(map(unicodedata.combining, unicodedata.normalize("NFKD", letter))):
            assert not accents.are_few(letter * (accents.MOST_IN_A_ROW + 1)), f"U+{code:04X}"


@pytest.mark.parametrize("code", [f"{row(MANY)} = 1", f"x = 1  # {row(MANY)}", f"x.{row(MANY)}", row(MANY)])
def test_code_with_many_accents_is_not_read_as_python(monkeypatch, code):
    monkeypatch.setattr(notebooks, "ast", SimpleNamespace(**vars(ast) | {"parse": refused}))
    assert student_code.parsed(code) is None
    submitted = SubmittedCell("code", code, ())
    assert submitted.definitions == submitted.methods == {}
    assert not submitted.parses
    assert prose.extract(submitted).text == code
    assert Redactor.of([f"raise {code}"]).own == ()


def test_a_function_beside_many_accents_is_found_by_its_line():
    code = f"def relu(Z):\n    return Z  # {row(MANY)}"
    assert cells.definitions(code).keys() == {"relu"}


def test_a_student_is_told_that_a_cell_was_not_read():
    source = notebooks.read(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    theirs = notebooks.read(ROOT / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    code = next(cell for cell in theirs.cells if notebooks.is_solution(cell))
    code.source += f"\n# {row(accents.MOST_IN_A_ROW + 1)}"
    with spends_at_most(2):
        told = rebuild_with(source, theirs).repairs
    assert f"The cell {code.id} has more than 30 accents on one letter, so it cannot be read as Python." in told
    assert not any("accents" in one for one in rebuild_with(source, source).repairs)


@pytest.mark.parametrize("text", [row(MANY), "%CC%80" * (MANY // 4) + "%CC%96" * (MANY // 4)])
def test_a_text_with_many_accents_is_compared_as_it_is(text):
    with spends_at_most(2):
        shown = attachments.with_all_pictures(text, {"a.png": {"image/png": PNG}, "\u00e9.png": {"image/png": PNG}})
    assert shown == f"{text}\n\n![](<attachment:a.png>)\n\n![](<attachment:%C3%A9.png>)"
    assert attachments.find({"a.png": 1}, text) is None


def test_nothing_else_sorts_accents():
    """Whoever normalises, or reads a student's text as Python, asks first."""
    package = Path(coursekit.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"unicodedata\.normalize|import normalize", path.read_text(encoding="utf-8"))
    }
    assert found == {"model/accents.py"}
    parsing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\bast\.parse\(|(?<![.\w])compile\(", path.read_text(encoding="utf-8"))
    }
    ours = {
        "model/notebooks.py",
        "reference/solutions.py",
        "reference/wrong.py",
        "reference/outputs.py",
    }  # authors' code
    assert {
        path for path in parsing if not path.startswith(("sandbox/guest/", "authoring/checks/", "authoring/mutation/"))
    } <= ours
    asking = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "notebooks.parsed(" in path.read_text(encoding="utf-8")
    }
    ours = {"marking/warm_up.py", "authoring/checks/exercises.py", "grading/grade_ids.py"}  # read the source
    assert asking - ours == {"model/student_code.py"}  # which asks

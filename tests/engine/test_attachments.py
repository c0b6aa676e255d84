"""Pictures in a written answer reach the person who grades it; what is no picture does not."""

import base64

import pytest

from coursekit.model.notebooks import read
from coursekit.submission import attachments
from tests.classroom import ROOT, rebuild_with

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(60)).decode()


def test_a_photographed_derivation_stays_with_its_answer():
    source = read(ROOT / "source" / "digits" / "digits.ipynb")
    theirs = read(ROOT / "release" / "digits" / "digits.ipynb")
    answer = next(cell for cell in theirs.cells if cell.id == "comparison")
    answer.source, answer.attachments = "![on paper](attachment:page.jpg)", {"page.jpg": {"image/jpeg": JPEG}}
    rebuilt = rebuild_with(source, theirs).notebook
    graded = next(cell for cell in rebuilt.cells if cell.id == "comparison")
    assert graded.attachments == {"page.jpg": {"image/jpeg": JPEG}}
    assert all("attachments" not in cell for cell in rebuilt.cells if cell.id != "comparison")


def test_png_and_jpeg_are_kept_whole_or_in_pieces():
    found = {"a.png": {"image/png": PNG}, "b.jpg": {"image/jpeg": [JPEG[:8], JPEG[8:]]}}
    assert attachments.accepted(found) == {"a.png": {"image/png": PNG}, "b.jpg": {"image/jpeg": JPEG}}


@pytest.mark.parametrize(
    "found",
    [
        None,
        "page.jpg",
        {"x": "y"},
        {5: {"image/png": PNG}},
        {"x.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"}},
        {"x.png": {"text/html": "<script>"}},
        {"x.png": {"image/png": base64.b64encode(b"<svg onload=alert(1)>" * 4).decode()}},
        {"x.png": {"image/png": "\ud800" * 80}},
        {"x.png": {"image/png": [PNG, 5]}},
        {"n" * 201: {"image/png": PNG}},
        {"huge.png": {"image/png": PNG + "A" * attachments.MAX_CHARS}},
    ],
)
def test_what_is_no_picture_is_left_out(found):
    assert attachments.accepted(found) == {}


def test_only_so_many_are_kept():
    assert len(attachments.accepted({f"{n}.png": {"image/png": PNG} for n in range(50)})) == attachments.MAX_PICTURES

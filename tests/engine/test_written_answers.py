"""A written answer reaches the person who grades it, text and pictures, wherever a student has put it."""

import base64
import copy
import json
import struct
import warnings
import zlib
from collections import defaultdict

import nbformat
import pytest
from nbconvert import HTMLExporter
from traitlets.config import Config

from coursekit import notebooks, stubs
from coursekit.config import configure
from coursekit.course import Course
from coursekit.feedback_page import cells as page
from coursekit.reading import rebuild, submission
from tests.classroom import ROOT

ANSWER, QUESTION, LAST = "comparison", "comparison-task", "closing"
TEXT = "The plain network learns nothing, because the signal fades from layer to layer."


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG_BYTES = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\x80\x20"))
    + chunk(b"IEND", b"")
)
PNG = base64.b64encode(PNG_BYTES).decode()
GIF = base64.b64encode(b"GIF89a" + struct.pack("<HH", 2, 1) + b"\0\0\0" + b"," + bytes(9) + b"\2\2D\1\0;").decode()
URI = f"data:image/png;base64,{PNG}"


@pytest.fixture
def folder(tmp_path):
    """A course directory that has the real source, and room for submissions."""
    (tmp_path / "source").symlink_to(ROOT / "source")
    for name in Course(ROOT).trusted_files("digits"):
        if not (tmp_path / name).exists() and (ROOT / name).is_file():
            (tmp_path / name).symlink_to(ROOT / name)
    return Course(tmp_path)


@pytest.fixture
def blank():
    """The released notebook, in which the written answer still says that it should be written."""
    return json.loads((ROOT / "release" / "digits" / "digits.ipynb").read_text(encoding="utf-8"))


def at(notebook, cell_id):
    return next(place for place, cell in enumerate(notebook["cells"]) if cell["id"] == cell_id)


def add(notebook, source, kind="markdown", below=ANSWER, **also):
    """A cell of the student's own below one of ours."""
    cell = {"id": f"own-{len(notebook['cells'])}", "cell_type": kind, "metadata": {}, "source": source, **also}
    if kind == "code":
        cell = {"outputs": [], "execution_count": None} | cell
    notebook["cells"].insert(at(notebook, below) + 1, cell)
    return cell


def answer(notebook, source, **also):
    cell = notebook["cells"][at(notebook, ANSWER)]
    cell.update(source=source, **also)
    return cell


def read(course, notebook, **files):
    """The notebook as it is graded, and what was said of it."""
    there = course.submitted("digits", "anna")
    there.mkdir(parents=True)
    (there / "digits.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    for name, data in files.items():
        (there / name).parent.mkdir(exist_ok=True)
        (there / name).write_bytes(data)
    loaded = submission.load(course, "digits", "anna")
    source = notebooks.read(course.source("digits"))
    staged = notebooks.parse(notebooks.dumps(loaded.notebook), "as nbgrader reads it again")
    result = rebuild.rebuild(source, staged, "digits")
    nbformat.validate(result.notebook)
    return result.notebook, " ".join((*loaded.notes, *result.repairs))


def written(notebook):
    return next(cell for cell in notebook.cells if cell.id == ANSWER)


def waits(notebook):
    return stubs.is_answered(written(notebook))


def pictures_on_page(notebook):
    """How many pictures stand on the page in Markdown cells that are not ours."""
    return sum(
        cell.html.count('<img src="data:image/')
        for cell in page.shown(notebook, notes_are_told=False)
        if cell.cell_id == ANSWER or cell.cell_id.startswith("added-")
    )


def attached(data=PNG, mime="image/png"):
    return {"photo.png": {mime: data}}


PASTED = {
    "pasted in JupyterLab": lambda nb: answer(nb, "![photo.png](attachment:photo.png)", attachments=attached()),
    "pasted, name with blanks": lambda nb: answer(
        nb, "![](attachment:my%20photo%20%C3%A9.png)", attachments={"my photo \u00e9.png": {"image/png": PNG}}
    ),
    "pasted, name as macOS writes it": lambda nb: answer(
        nb, "![](attachment:caf\u00e9.png)", attachments={"cafe\u0301.png": {"image/png": PNG}}
    ),
    "pasted, and never shown": lambda nb: answer(nb, "See the picture.", attachments=attached()),
    "pasted above the stub": lambda nb: answer(
        nb, f"![](attachment:photo.png)\n\n{stubs.TEXT_STUB}", attachments=attached()
    ),
    "a JPEG that says it is a PNG": lambda nb: answer(nb, "![](attachment:photo.png)", attachments=attached(JPEG)),
    "a GIF": lambda nb: answer(nb, "![](attachment:photo.png)", attachments=attached(GIF, "image/gif")),
    "Colab, in the text": lambda nb: answer(nb, f"![image.png]({URI})"),
    "Colab, by reference": lambda nb: answer(nb, f"![][image1]\n\n[image1]: <{URI}>"),
    "HTML": lambda nb: answer(nb, f'<img alt="page" src="{URI}" width=300>'),
    "HTML in lines": lambda nb: answer(nb, f'<img src="{URI[:60]}\n{URI[60:]}">'),
    "a cell below": lambda nb: add(nb, "![](attachment:photo.png)", attachments=attached()),
    "a cell above": lambda nb: add(nb, f"![]({URI})", below="comparison-rubric"),
    "a raw cell": lambda nb: add(nb, f"![]({URI})", kind="raw"),
    "attached to a raw cell": lambda nb: add(nb, "![](attachment:photo.png)", kind="raw", attachments=attached()),
    "the question's own cell": lambda nb: nb["cells"][at(nb, QUESTION)].update(
        source=[*nb["cells"][at(nb, QUESTION)]["source"], "\n\n![](attachment:photo.png)"], attachments=attached()
    ),
    "an output of a code cell": lambda nb: add(
        nb,
        'from IPython.display import Image\nImage("photo.png")',
        kind="code",
        outputs=[{"output_type": "execute_result", "data": {"image/png": PNG}, "metadata": {}, "execution_count": 1}],
    ),
    "the answer cell made code": lambda nb: answer(
        nb,
        'from IPython.display import Image\nImage("photo.png")',
        cell_type="code",
        execution_count=None,
        outputs=[{"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {}}],
    ),
}
JPEG = base64.b64encode(
    b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x00\x01\x00\x02\x01\x01\x11\x00\xff\xd9"
).decode()


@pytest.mark.parametrize("form", PASTED)
def test_a_picture_in_a_notebook_is_kept_and_waits_for_a_person(folder, blank, form):
    PASTED[form](blank)
    graded, _ = read(folder, blank)
    assert waits(graded)
    assert written(graded).attachments
    assert pictures_on_page(graded) >= 1  # a cell of ours that was changed, and one that runs, stay in their places


BESIDE = {
    "Markdown": "![my page](photo.png)",
    "in a folder that got lost": "![](images/photo.png)",
    "VS Code": "![alt text](./photo.png)",
    "a path of Windows": r'<img src="C:\Users\me\photo.png">',
    "other letters": "![](Photo.PNG)",
    "with a title": '![](photo.png "page one")',
    "by reference": "![page][1]\n\n[1]: photo.png",
    "HTML without quotes": "<img src=photo.png>",
}


@pytest.mark.parametrize("form", BESIDE)
def test_a_picture_beside_the_notebook_is_shown_where_the_answer_refers_to_it(folder, blank, form):
    answer(blank, BESIDE[form])
    graded, _ = read(folder, blank, **{"photo.png": PNG_BYTES})
    assert waits(graded)
    assert written(graded).attachments == {"photo.png": {"image/png": PNG}}
    assert pictures_on_page(graded) == 1


@pytest.mark.parametrize("name", ["my photo (1).png", "Bildschirmfoto \u00e4.png"])
def test_names_of_pictures_may_have_blanks_brackets_and_accents(folder, blank, name):
    answer(blank, f"![](<{name}>)" if "(" not in name else f"![]({name})")
    graded, _ = read(folder, blank, **{name: PNG_BYTES})
    assert pictures_on_page(graded) == 1


def test_an_answer_cell_made_code_shows_the_picture_beside_the_notebook(folder, blank):
    answer(blank, 'Image("photo.png")', cell_type="code", execution_count=None, outputs=[])
    graded, _ = read(folder, blank, **{"photo.png": PNG_BYTES})
    assert waits(graded)
    assert pictures_on_page(graded) == 1


def test_the_formgrader_shows_the_picture_where_a_person_grades(folder, blank):
    from nbgrader.server_extensions.formgrader import handlers

    PASTED["pasted in JupyterLab"](blank)
    graded, _ = read(folder, blank)
    config = Config()
    configure(config, folder.root)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    graded.cells = [written(graded)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        html, _ = HTMLExporter(config=config).from_notebook_node(graded, resources=defaultdict(str, index=0, total=1))
    assert f"data:image/png;base64,{PNG}" in html


@pytest.mark.parametrize(
    "harmful",
    [
        "data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='alert(1)'/>" * 3).decode(),
        "data:image/png;base64," + base64.b64encode(b"<svg onload='alert(1)'/>" * 3).decode(),
        "data:text/html;base64," + base64.b64encode(b"<script>alert(1)</script>" * 3).decode(),
    ],
)
def test_what_is_no_picture_is_never_attached(folder, blank, harmful):
    answer(blank, f"![my page]({harmful})")
    add(blank, "![](attachment:a.svg)", attachments={"a.svg": {"image/svg+xml": "<svg/>", "image/png": "<svg/>"}})
    graded, _ = read(folder, blank)
    assert all("attachments" not in cell for cell in graded.cells)
    assert pictures_on_page(graded) == 0


def test_pictures_of_a_notebook_are_bounded_in_number_and_the_answers_come_first(folder, blank):
    for _ in range(30):
        add(
            blank,
            "![](attachment:a.png)",
            below="title",
            attachments={f"{n}.png": {"image/png": PNG} for n in range(9)},
        )
    PASTED["pasted in JupyterLab"](blank)
    graded, told = read(folder, blank)
    assert sum(len(cell.get("attachments", {})) for cell in graded.cells) == 40
    assert written(graded).attachments == attached()
    assert "pictures in the notebook were too many or too large" in told


def test_plots_of_other_cells_are_drawn_again_and_not_taken_over(folder, blank):
    shown = [{"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {}}]
    add(blank, "plt.plot(costs)", kind="code", outputs=shown)
    graded, _ = read(folder, blank)
    assert not waits(graded)
    assert pictures_on_page(graded) == 0


def delete(notebook, cell_id=ANSWER):
    del notebook["cells"][at(notebook, cell_id)]


def split(notebook):
    cell = answer(notebook, TEXT)
    second = copy.deepcopy(cell) | {"id": "second", "source": "And in the second half."}
    notebook["cells"].insert(at(notebook, ANSWER) + 1, second)


def emptied_and(notebook, *parts):
    answer(notebook, "")
    for below, text in parts:
        add(notebook, text, below=below)


def instead(notebook, kind, source, below="comparison-rubric"):
    delete(notebook)
    add(notebook, source, kind=kind, below=below)


def typed_into(notebook, cell_id):
    cell = notebook["cells"][at(notebook, cell_id)]
    cell["source"] = "".join(cell["source"]) + f"\n\n{TEXT}"


MOVED = {
    "below": lambda nb: add(nb, TEXT),
    "above": lambda nb: add(nb, TEXT, below="comparison-rubric"),
    "between the question's cells": lambda nb: add(nb, TEXT, below=QUESTION),
    "at the end": lambda nb: add(nb, TEXT * 3, below=LAST),
    "above the question, at length": lambda nb: add(nb, TEXT * 3, below="playground"),
    "below, the stub emptied": lambda nb: emptied_and(nb, (ANSWER, TEXT)),
    "around": lambda nb: emptied_and(nb, (ANSWER, TEXT), ("comparison-rubric", "First of all:")),
    "another cell in its place": lambda nb: instead(nb, "markdown", TEXT),
    "a code cell in its place": lambda nb: instead(nb, "code", TEXT),
    "a raw cell in its place": lambda nb: instead(nb, "raw", TEXT),
    "comments in a code cell": lambda nb: add(nb, f"# {TEXT}", kind="code"),
    "printed": lambda nb: add(nb, f'print("""{TEXT}""")', kind="code"),
    "the answer cell made code": lambda nb: answer(nb, TEXT, cell_type="code", outputs=[], execution_count=None),
    "the answer cell made raw": lambda nb: answer(nb, TEXT, cell_type="raw"),
    "the question's cell": lambda nb: typed_into(nb, QUESTION),
    "the cell behind": lambda nb: typed_into(nb, LAST),
    "split by the editor": split,
    "one word": lambda nb: add(nb, "Unsure."),
    "a number": lambda nb: add(nb, "42"),
    "Chinese": lambda nb: add(nb, "\u7f51\u7edc\u6ca1\u6709\u5b66\u5230\u4efb\u4f55\u4e1c\u897f\u3002", kind="code"),
    "under a heading of its own": lambda nb: add(nb, f"## My answer\n\n{TEXT}"),
    "that begins with a function's name": lambda nb: add(nb, f"**apply_batchnorm and its effect.** {TEXT}"),
}


@pytest.mark.parametrize("place", MOVED)
def test_an_answer_outside_its_cell_waits_for_a_person_with_its_text(folder, blank, place):
    before = str(blank)
    MOVED[place](blank)
    assert str(blank) != before
    graded, told = read(folder, blank)
    assert waits(graded)
    if place not in ("one word", "a number", "Chinese"):
        assert TEXT in written(graded).source
    assert ANSWER in told
    assert "counts as not written" not in told


def test_an_answer_in_pieces_is_put_together_in_order(folder, blank):
    MOVED["around"](blank)
    graded, told = read(folder, blank)
    assert written(graded).source == f"First of all:\n\n{TEXT}"
    assert not [cell for cell in graded.cells if cell.id.startswith("added-")]
    assert "there was text in 2 cells above and below it" in told


def test_pictures_of_pieces_that_have_one_name_stay_apart(folder, blank):
    other = {"photo.png": {"image/gif": GIF}}
    add(blank, "second ![](attachment:photo.png)", attachments=other)
    add(blank, "first ![](attachment:photo.png)", attachments=attached())
    graded, _ = read(folder, blank)
    assert list(written(graded).attachments.values()) == [{"image/png": PNG}, {"image/gif": GIF}]
    assert pictures_on_page(graded) == 2


def test_comments_become_words_and_not_headings(folder, blank):
    answer(blank, f"# {TEXT}\n# So there.", cell_type="code", outputs=[], execution_count=None)
    graded, _ = read(folder, blank)
    assert written(graded).source == f"{TEXT}\nSo there."


def test_text_beside_an_answer_stays_where_it_is(folder, blank):
    answer(blank, TEXT)
    add(blank, "A remark.")
    graded, told = read(folder, blank)
    assert written(graded).source == TEXT
    assert [cell.source for cell in graded.cells if cell.id.startswith("added-")] == ["A remark."]
    assert told == ""


def changed_by_a_slip(notebook):
    cell = notebook["cells"][at(notebook, QUESTION)]
    cell["source"] = "".join(cell["source"]).replace("Somebody", "Somebodyy")


NOT_MEANT = {
    "nothing": lambda nb: None,
    "the stub emptied": lambda nb: answer(nb, ""),
    "the cell deleted": delete,
    "an empty cell below": lambda nb: add(nb, "  \n"),
    "a heading": lambda nb: add(nb, "## Appendix"),
    "a heading underlined": lambda nb: add(nb, "Appendix\n========"),
    "a line": lambda nb: add(nb, "---"),
    "notes on another exercise": lambda nb: add(nb, "**Exercise 13:** " + TEXT * 3),
    "notes under another's name": lambda nb: add(nb, "## Notes on `batchnorm_backward`\n\n" + TEXT * 3),
    "notes beside another exercise": lambda nb: add(nb, TEXT * 3, below="predict-test"),
    "notes at the beginning": lambda nb: add(nb, TEXT * 3, below="contents"),
    "a short remark further up": lambda nb: add(nb, "The costs fall.", below="results-table"),
    "code": lambda nb: add(nb, "print(accuracy)  # of the best network", kind="code"),
    "code with a mistake": lambda nb: add(nb, "for i in range(10) print(i)", kind="code"),
    "a slip in the question": changed_by_a_slip,
    "a function of their own": lambda nb: add(
        nb,
        'def show(x):\n    """Print an array with its name and its shape, as the figures do it."""\n    print(x)',
        "code",
    ),
}


@pytest.mark.parametrize("place", NOT_MEANT)
def test_what_is_plainly_something_else_does_not_make_a_blank_answer_wait(folder, blank, place):
    NOT_MEANT[place](blank)
    graded, _ = read(folder, blank)
    assert not waits(graded)

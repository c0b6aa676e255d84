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

from coursekit.config import configure
from coursekit.feedback import cells as page
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.submission import loading, notebook_parser, rebuild
from tests.classroom import ROOT, rebuild_with

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
RELEASED = "The notebook is as it was released: nothing was filled in."
URI = f"data:image/png;base64,{PNG}"


@pytest.fixture
def folder(tmp_path):
    """A course directory that has the real source, and room for submissions."""
    (tmp_path / "source").symlink_to(ROOT / "source")
    for name in Course(ROOT).trusted_files("digits"):
        if not (tmp_path / name).exists() and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(exist_ok=True)
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
    loaded = loading.load(course, "digits", "anna")
    source = notebooks.read(course.source("digits"))
    result = rebuild.rebuild(source, loaded.match)
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
        for cell in page.render(notebook, notes_shown_above=False)
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


def shown(data=PNG, mime="image/png"):
    return [{"output_type": "display_data", "data": {mime: data, "text/plain": "<Figure>"}, "metadata": {}}]


def test_plots_of_other_cells_are_drawn_again_and_not_taken_over(folder, blank):
    add(blank, "plt.plot(costs)", kind="code", outputs=shown(), below="playground")
    graded, _ = read(folder, blank)
    assert not waits(graded)
    assert pictures_on_page(graded) == 0


def test_a_plot_beside_a_written_answer_is_drawn_again_and_not_taken_over(folder, blank):
    answer(blank, TEXT)
    add(blank, "plt.plot(costs)", kind="code", outputs=shown())
    graded, told = read(folder, blank)
    assert written(graded).source == TEXT
    assert pictures_on_page(graded) == 0
    assert told == ""


DRAWN = {
    "a plot below": lambda nb: add(nb, "plt.plot(costs)", kind="code", outputs=shown()),
    "a plot above": lambda nb: add(nb, "plt.plot(costs)", kind="code", outputs=shown(), below=QUESTION),
    "a plot at the end": lambda nb: add(nb, "plt.plot(costs)", kind="code", outputs=shown(), below=LAST),
    "a plot that cannot be drawn again": lambda nb: add(nb, "plt.plot(", kind="code", outputs=shown()),
    "a picture without code": lambda nb: add(nb, "", kind="code", outputs=shown()),
    "a picture below a comment": lambda nb: add(nb, "# mine", kind="code", outputs=shown()),
    "the answer cell made code": lambda nb: answer(
        nb, "plt.plot(costs)", cell_type="code", execution_count=None, outputs=shown()
    ),
    "the answer cell made code, and emptied": lambda nb: answer(
        nb, "", cell_type="code", execution_count=None, outputs=shown()
    ),
}


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("form", DRAWN)
def test_a_picture_that_code_showed_at_the_question_is_kept_and_waits(folder, blank, form, emptied):
    if emptied:
        answer(blank, "")
    DRAWN[form](blank)
    graded, told = read(folder, blank)
    assert waits(graded)
    assert [*written(graded).attachments.values()] == [{"image/png": PNG}]
    assert "as it was released" not in told
    assert "not written" not in told


@pytest.mark.parametrize("source", ["plt.plot(costs)", ""])
def test_a_picture_that_cannot_be_kept_waits_and_is_spoken_of(folder, blank, source):
    add(blank, source, kind="code", outputs=shown("<svg/>", "image/svg+xml"))
    graded, told = read(folder, blank)
    assert waits(graded)
    assert "showed a picture that is not kept here" in written(graded).source
    assert "there was a picture in a cell below it" in told


def test_a_picture_file_that_code_below_shows_waits_whether_it_was_run_or_not(folder, blank):
    add(blank, 'Image("photo.png")', kind="code")
    graded, _ = read(folder, blank, **{"photo.png": PNG_BYTES})
    assert waits(graded)
    assert written(graded).attachments


@pytest.mark.parametrize(("limit", "most"), [("MAX_PLOT_BYTES", len(PNG) + 10), ("MAX_PLOTS", 1)])
def test_plots_leave_room_for_the_answers_pictures(folder, blank, monkeypatch, limit, most):
    """Of the plots the last ones are kept, and of the others it is known that they were there."""
    monkeypatch.setattr(notebook_parser, limit, most)
    for source in ("second", "first"):
        add(blank, f"plt.plot({source})", kind="code", outputs=shown())
    add(blank, "plt.plot(before)", kind="code", outputs=shown(), below="title")
    graded, _ = read(folder, blank)
    assert [*written(graded).attachments.values()] == [{"image/png": PNG}]
    assert written(graded).source.index("not kept here") < written(graded).source.index("second")


def test_plots_of_our_own_cells_are_not_passed_on(folder, blank):
    for cell in blank["cells"]:
        if cell["cell_type"] == "code" and cell["id"] != "playground":  # nothing but a comment: it draws nothing again
            cell["outputs"] = shown()
    there = folder.submitted("digits", "anna")
    there.mkdir(parents=True)
    (there / "digits.ipynb").write_text(json.dumps(blank), encoding="utf-8")
    loaded = loading.load(folder, "digits", "anna")
    assert not any(cell.all_pictures or cell.showed_pictures for cell in loaded.match.submitted_cells)
    assert RELEASED in loaded.notes


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


def typed_into(notebook, cell_id, text=TEXT):
    cell = notebook["cells"][at(notebook, cell_id)]
    cell["source"] = "".join(cell["source"]) + f"\n\n{text}"


def text_cell(source, kind="markdown"):
    return {"id": "typed-last", "cell_type": kind, "metadata": {}, "source": source}


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
    "at the very end, short": lambda nb: nb["cells"].append(text_cell(TEXT)),
    "at the very end, the stub emptied": lambda nb: emptied_and(nb, (LAST, TEXT)),
    "two cells below, the stub blanks": lambda nb: (answer(nb, "   \n"), add(nb, TEXT, below=LAST)),
    "at the very end, raw": lambda nb: nb["cells"].append(text_cell(TEXT, "raw")),
    "at the very end, one word": lambda nb: nb["cells"].append(text_cell("Both.")),
    "at the very end, a comment": lambda nb: add(nb, f"# {TEXT}", kind="code", below=LAST),
    "at the very end, and a remark below": lambda nb: (add(nb, TEXT, below=LAST), add(nb, "See below.")),
    "right above the question": lambda nb: add(nb, TEXT, below="playground"),
    "all of it a heading": lambda nb: add(nb, f"# {TEXT}"),
    "a sign": lambda nb: add(nb, "?"),
    "a line drawn below it": lambda nb: add(nb, f"{TEXT}\n---"),
    "with a number of its own": lambda nb: add(nb, f"**Exercise 18:** {TEXT}"),
    "under a number of its own": lambda nb: add(nb, f"## Exercise 18\n\n{TEXT}"),
    "a note that names a function": lambda nb: add(nb, f"Note: apply_batchnorm is what I recommend. {TEXT}"),
    "given a name": lambda nb: add(nb, f"answer = {TEXT!r}\nprint(answer)", kind="code"),
    "typed into a text further up": lambda nb: typed_into(nb, "alone-said", TEXT * 3),
    "that begins with a function's name": lambda nb: add(nb, f"**apply_batchnorm and its effect.** {TEXT}"),
}


@pytest.mark.parametrize("place", MOVED)
def test_an_answer_outside_its_cell_waits_for_a_person_with_its_text(folder, blank, place):
    before = str(blank)
    MOVED[place](blank)
    assert str(blank) != before
    graded, told = read(folder, blank)
    assert waits(graded)
    if place not in ("one word", "a number", "Chinese", "a sign", "at the very end, one word"):
        assert TEXT in written(graded).source
    assert ANSWER in told
    assert "counts as not written" not in told
    assert "as it was released" not in told


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


ADDED_NOTHING = ("nothing", "the stub emptied", "the cell deleted", "an empty cell below")


@pytest.mark.parametrize("place", NOT_MEANT)
def test_that_nothing_was_filled_in_is_said_truly(folder, blank, place):
    NOT_MEANT[place](blank)
    _, told = read(folder, blank)
    assert (RELEASED in told) == (place in ADDED_NOTHING)
    assert ("No answer was filled in" in told) == (place not in ADDED_NOTHING)


def cell_of_ours(cell_id, source, kind="markdown", **nbgrader):
    grader = {"nbgrader": {"grade_id": cell_id, "schema_version": 3, "locked": False} | nbgrader} if nbgrader else {}
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    made = {"id": cell_id, "cell_type": kind, "metadata": grader, "source": source, **outputs}
    return nbformat.from_dict(made)


@pytest.fixture
def two_questions():
    """A source with two written answers, an exercise in code between them, and a text behind each."""
    asked = {"grade": True, "solution": True, "task": False, "points": 5}
    cells = [
        cell_of_ours("one-task", "## First question"),
        cell_of_ours("one", "Model answer.", **asked),
        cell_of_ours("one-said", "So much for that."),
        cell_of_ours("double", "def double(x):\n    return 2 * x", "code", **asked | {"grade": False}),
        cell_of_ours("double-test", "assert double(2) == 4", "code", **asked | {"solution": False}),
        cell_of_ours("between", "Now something else."),
        cell_of_ours("two-task", "## Second question"),
        cell_of_ours("two", "Model answer.", **asked),
        cell_of_ours("end", "Hand it in."),
    ]
    return nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


# Which answers wait, by the cell below which a short text stands.
BETWEEN = {
    "one-task": {"one"},
    "one": {"one"},
    "one-said": {"one"},
    "double-test": {"one"},
    "between": {"one", "two"},  # it may be either's, and one that is read twice is not lost
    "two-task": {"two"},
    "two": {"two"},
    "end": {"one", "two"},
}


@pytest.mark.parametrize("filled", [(), ("one",), ("two",), ("one", "two")])
@pytest.mark.parametrize("below", BETWEEN)
def test_with_two_questions_a_text_waits_at_each_that_it_may_answer(two_questions, below, filled):
    theirs = copy.deepcopy(two_questions)
    for cell in theirs.cells:
        if cell.id in ("one", "two"):
            cell.source = f"{TEXT} {cell.id}" if cell.id in filled else stubs.TEXT_STUB
    place = next(number for number, cell in enumerate(theirs.cells) if cell.id == below)
    theirs.cells.insert(place + 1, nbformat.from_dict(text_cell("The short one.")))
    result = rebuild_with(two_questions, theirs).notebook
    found = {cell.id: cell.source for cell in result.cells if cell.id in ("one", "two")}
    assert {name for name in found if "The short one." in found[name]} == BETWEEN[below] - {*filled}
    assert all(found[name] == f"{TEXT} {name}" for name in filled)
    assert "The short one." in " ".join(cell.source for cell in result.cells)


def test_a_notebook_with_answers_is_preferred_to_one_with_a_text_that_may_be_one(folder, blank):
    other = copy.deepcopy(blank)
    other["cells"][at(other, "relu")]["source"] = "def relu(Z):\n    return np.maximum(Z, 0), Z"
    blank["cells"].append(text_cell("Work in progress."))
    graded, told = read(folder, blank, **{"work.ipynb": json.dumps(other).encode()})
    assert "np.maximum" in next(cell.source for cell in graded.cells if cell.id == "relu")
    assert "digits.ipynb holds only text that may be an answer; the answers in work.ipynb were graded." in told

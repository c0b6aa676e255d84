"""Floods: whatever a submission holds, a page stays small, costs bounded work, and shows what is graded."""

import base64
import json
import re
import time
import warnings
from collections import defaultdict

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from coursekit.config import configure
from coursekit.feedback import budget, cells, code, equations, images, markdown, text
from coursekit.feedback.budget import LINE_CHARS, Budget, BudgetExceeded
from coursekit.model import notebooks
from coursekit.model.course import Course
from tests.classroom import ROOT
from tests.feedback_pages import PNG, Parsed, code_cell, display, graded_notebook, png, text_cell

CELLS, OUTPUTS = 40, 4
HUGE_PICTURE = base64.b64encode(png(6_000, 6_000)).decode()


def stream(said):
    return {"output_type": "stream", "name": "stdout", "text": said}


def texts(piece):
    """A cell of the longest Markdown that is read, made of the piece."""
    return [text_cell(piece * (markdown.MAX_CHARS // len(piece)))]


def outputs(**data):
    return [code_cell("x", *[display(**data)] * OUTPUTS)]


def codes(piece):
    return [code_cell(piece * (code.MAX_COLOURED_CHARS // len(piece)))]


FLOODS = {
    "newlines in raw cells": lambda: [{"id": "", "cell_type": "raw", "metadata": {}, "source": "x\n" * 100_000}],
    "equations full of primes": lambda: texts("$" + "}'" * 900 + "$ "),
    "brackets and stars": lambda: texts("[**"),
    "brackets of pictures": lambda: texts("!["),
    "brackets and dollars": lambda: texts("[$"),
    "definitions of links": lambda: [text_cell("".join(f"[{number}]: b\n" for number in range(1_900)))],
    "nested quotes": lambda: texts(">" * 20 + "a\n"),
    "nested lists": lambda: [text_cell("".join("  " * (line % 20) + "- a\n" for line in range(800)))],
    "emphasis": lambda: texts("*a_b"),
    "tables": lambda: [text_cell("|a" * 100 + "|\n" + "|-" * 100 + "|\n" + ("|b" * 100 + "|\n") * 90)],
    "entities": lambda: texts("&amp;"),
    "paragraphs": lambda: texts("\u00e9\n\n"),
    "equations by tag": lambda: texts('<x-equation tex="x\'">'),
    "formatting tags": lambda: texts("<p><b><i>"),
    "div": lambda: outputs(text_html="<div>" * 20_000),
    "nested tables": lambda: outputs(text_html="<table><tr><td>" * 2_000),
    "angle brackets": lambda: outputs(text_html="<" * 150_000, text_plain="x"),
    "LaTeX": lambda: outputs(text_latex="$" + "x_{1}" * 390 + "$", text_plain="x"),
    "Markdown outputs": lambda: outputs(text_markdown="![" * 9_000),
    "colours of terminals": lambda: [code_cell("x", *[stream("\x1b[31m" * 4_000)] * 30)],
    "overwritten lines": lambda: [code_cell("x", *[stream("a\r" * 10_000)] * 30)],
    "invisible characters": lambda: [code_cell("x", *[stream("\u202e" * 20_000)] * 10)],
    "code of short tokens": lambda: codes("0x\t"),
    "code of brackets": lambda: codes("(\n"),
    "one long line": lambda: [code_cell("a" * 100_000)],
    "pictures that unpack": lambda: outputs(image_png=HUGE_PICTURE),
    "pictures of a cell": lambda: [
        text_cell("![x](attachment:a)" * 1_000) | {"attachments": {"a": {"image/png": PNG}}}
    ],
    "cells": lambda: [text_cell("# x")] * 200,
}  # fmt: skip


def with_added(added):
    """The notebook of the course, before its own cells those that the student added."""
    made = [json.loads(json.dumps(cell)) | {"id": f"added-{number}"} for number, cell in enumerate(added)]
    notebook = graded_notebook(Course(ROOT), lambda nb: nb["cells"].__setitem__(slice(0, 0), made))
    return notebooks.parse(json.dumps(notebook), "flooded")


def flooded(flood):
    return with_added(flood() * CELLS)


@pytest.fixture
def spent(monkeypatch):
    """The budgets of the pages that are made."""
    made = []

    def make():
        made.append(Budget())
        return made[-1]

    monkeypatch.setattr(cells, "Budget", make)
    return made


def html_of(shown):
    return "".join(cell.html + "".join(cell.outputs) for cell in shown)


def without_pictures(html):
    return re.sub(r"base64,[A-Za-z0-9+/=]*", "", html)


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_in_added_cells_pushes_no_answer_off_the_page(name, spent):
    """What is graded is shown in full and in colour, the rest within the budget: counted, so the same everywhere."""
    notebook = flooded(FLOODS[name])
    shown = cells.render(notebook, notes_shown_above=False)
    (page,) = spent
    html = html_of(shown)
    assert min(page.work, page.html_chars, page.picture_chars, page.pixels) >= 0
    assert len(without_pictures(html)) < budget.HTML_CHARS * 1.1
    assert len(html) - len(without_pictures(html)) <= budget.PICTURE_CHARS
    assert len(shown) <= cells.MAX_CELLS + 1
    by_id = {cell.cell_id: cell for cell in shown}
    for cell in notebook.cells:
        if notebooks.grade_id(cell):
            text = Parsed(by_id[cell.id].html).text
            assert " ".join(cells.without_hidden_tests(cell).split()) == text
            assert '<span class="' in by_id[cell.id].html


def test_floods_in_the_answers_themselves_leave_something_of_each(spent):
    """The first answer cannot use up what the last one needs."""
    notebook = flooded(list)
    for cell in notebook.cells:
        cell.source += "\n" + "<'\x00" * 30_000
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(stream("<'\x00" * 60_000)) for _ in range(50)]
    shown = cells.render(notebook, notes_shown_above=False)
    graded = [cell for cell in shown if cell.graded]
    assert len(html_of(shown)) < budget.HTML_CHARS * 1.1
    assert len(graded) == 20
    for cell in graded:
        assert "characters are left out here" in cell.html
        assert re.search(r"def|public_tests|test", cell.html)


def test_pictures_of_an_answer_are_shown_behind_a_flood_of_pictures():
    notebook = flooded(FLOODS["pictures of a cell"])
    answer = notebook.cells[-1]
    answer.update(cell_type="markdown", id="answer", source="![mine](attachment:a)")
    answer.attachments = {"a": {"image/png": base64.b64encode(png(1_000, 1_000)).decode()}}
    assert 'alt="mine"' in cells.render(notebook, notes_shown_above=False)[-1].html


def test_what_is_left_out_says_where_it_is():
    notebook = flooded(FLOODS["cells"])
    assert "the notebook as you handed it in" in cells.render(notebook, False)[-1].html
    view = cells.View(original="submitted/anna/step-by-step/")
    assert "submitted/anna/step-by-step/" in cells.render(notebook, False, view)[-1].html
    told = html_of(cells.render(with_added([text_cell("x" * 19_000)] * 200), False, view))
    assert "This cell is left out: the notebook is too large for one page. It is in submitted/anna" in told


def test_a_page_is_the_same_whatever_pages_were_made_before():
    """What is remembered saves time, and no units."""
    notebook = flooded(FLOODS["equations full of primes"])
    code.highlighted.cache_clear()
    equations.mathml.cache_clear()
    assert cells.render(notebook, False) == cells.render(notebook, False)


def test_no_flood_costs_more_than_ten_times_an_honest_page():
    """The one look at a clock, at those that cost most: by far within it, unless the units are wrong."""

    def cost(flood, own=False):
        notebook = flooded(list if own else flood)
        for cell in notebook.cells if own else ():
            if cell.cell_type == "markdown":
                cell.source = flood()[0]["source"]
        equations.mathml.cache_clear()
        code.highlighted.cache_clear()
        began = time.process_time()
        cells.render(notebook, False)
        return time.process_time() - began

    cost(list)  # imports
    honest = min(cost(list), cost(list))
    for name in ("tables", "entities", "paragraphs", "emphasis", "nested lists"):
        assert cost(FLOODS[name]) < 10 * honest + 1, name
    assert cost(FLOODS["tables"], own=True) < 10 * honest + 1


def test_no_picture_is_decoded_that_there_is_no_budget_for(monkeypatch):
    """A text may ask for one attachment a thousand times."""
    decoded = []
    real = base64.b64decode
    monkeypatch.setattr(base64, "b64decode", lambda data, **how: decoded.append(len(data)) or real(data, **how))
    page, data = Budget(picture_chars=10_000), base64.b64encode(png(60_000, 60_000) + bytes(3_000)).decode()
    shown = [images.from_base64(data, "x", budget=page) for _ in range(50)]
    assert sum(decoded) <= 10_000
    assert not any("<img" in html for html in shown)


@pytest.mark.parametrize("mark", ["\u0301", "\u200d", "\u20dd", "\u093e"])
@pytest.mark.parametrize("many", [30, 31, 62, 90_000])
def test_no_letter_carries_more_marks_than_a_browser_can_place(mark, many):
    """Chromium took 17 s for one letter with 90,000 accents."""
    for before in range(0, 33, 4):
        shown = text.visible("x" * before + f"a{mark * many}b{mark}")
        rest = f"⟨{many - 30:,} more marks⟩" if many > 30 else ""
        assert shown == "x" * before + f"a{mark * 30}{rest}b{mark}"


def test_of_very_many_lines_the_first_and_the_last_are_shown():
    shown = text.cut("\n".join(f"line {number}" for number in range(9_000)), 1_000_000).split("\n")
    assert (shown[0], shown[-1], len(shown)) == ("line 0", "line 8999", text.MAX_LINES + 1)
    assert "[… 6,000 lines are left out here …]" in shown


def test_nobody_spends_what_is_kept_for_others():
    page = Budget(work=400, html_chars=400, picture_chars=400, pixels=400)
    page.reserve(3, 1)
    page.spend(work=100, html="x" * 100)
    for spend in ({"work": 1}, {"html": "x"}):
        with pytest.raises(BudgetExceeded):
            page.spend(**spend)
    page.take_picture(100, 100)
    with pytest.raises(BudgetExceeded):
        page.take_picture(1, 1)
    page.begin_cell(with_pictures=True)
    page.spend(work=100, html="x" * (50 - LINE_CHARS - 1) + "\n", preformatted=True)
    page.take_picture(300, 300)
    assert (page.work, page.room) == (200, 50)


def formgrader_html(notebook):
    """The page of a submission, made by the exporter that the Formgrader makes from our configuration."""
    from nbgrader.server_extensions.formgrader import handlers

    config = Config()
    configure(config, ROOT)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = defaultdict(str, index=0, total=1, student="anna", assignment_id="step-by-step")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return HTMLExporter(config=config).from_notebook_node(notebook, resources=resources)[0]


@pytest.mark.parametrize("name", ["nested tables", "LaTeX", "cells"])
def test_the_formgraders_view_is_bounded_and_has_every_place_for_a_mark(name):
    html = formgrader_html(flooded(FLOODS[name]))
    assert len(html) < budget.HTML_CHARS
    assert len(re.findall(r'<input class="score tabbable" id="[a-z-]+"', html)) == 10
    assert not re.search(r"\$\$|\$x_", re.sub(r"(?s)<script.*?</script>", "", html))


def test_the_formgrader_shows_a_submission_as_jupyterlab_does():
    """Headings of their levels, tables, alignment, pictures with their alt text, colours, equations, results."""
    table = "| a | b |\n|:-:|--:|\n| c | 1 |"
    picture = f'<img src="data:image/png;base64,{PNG}" alt="costs fall">'
    frame = {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": {
        "text/html": "<table class=dataframe><tr><th>0</th><td>0.5</td></tr></table>", "text/plain": "x"}}  # fmt: skip
    mine = [
        text_cell(f"# One\n\n### Three\n\n{table}\n\n$x^2$ ![drawn](attachment:my%20picture.png)")
        | {"attachments": {"my picture.png": {"image/png": PNG}}},
        code_cell("def f(x):\n    return x", display(text_html=picture, text_plain="<Figure>"), frame)
        | {"execution_count": 7},
    ]  # fmt: skip
    html = formgrader_html(with_added(mine))
    page = Parsed(html)
    headings = re.findall(r"<(h\d)>(One|Three)<", html)
    assert headings == [("h1", "One"), ("h3", "Three")]
    assert '<td class="to-centre">c</td>' in html
    assert '<td class="to-end">1</td>' in html
    assert {"drawn", "costs fall"} <= {image.get("alt") for image in page.all("img")}
    assert re.search(r"Out\[7\]:.*?<th>0</th><td>0\.5</td>", html, re.DOTALL)
    assert '<span class="k">def</span>' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html
    assert re.search(r"\.submission (th|td), \.submission (td|th) \{ border: 1px solid", html)
    assert "BEGIN HIDDEN TESTS" in html  # who grades sees them

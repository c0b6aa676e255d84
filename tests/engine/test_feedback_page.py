"""The feedback page: what it says to whom, that it never says what it must not, and that everybody can read it."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from coursekit.feedback import cells, equations, generation, markdown, marks, page, sanitise, text
from coursekit.marking.verdicts import NOTHING_ELSE
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.submission.rebuild import NOTES_ID
from tests.classroom import ASSIGNMENT, ROOT, copy_course
from tests.course import jupyterlab
from tests.feedback_pages import (
    PNG,
    Parsed,
    code_cell,
    display,
    graded_notebook,
    lost,
    open_gradebook,
    page_of,
    put_back,
    text_cell,
    verdicts,
)
from tests.tables import loaded

HINT = "Gradients of parameters are averaged over the examples."
FOUND = "dW has the right shape (3, 5), but all 15 entries are wrong, yours has dW[0, 0] = 0.292555."
PROBLEM = "step-by-step.ipynb: not valid JSON (line 7); open it in JupyterLab and save it again"
SECRET = "coursekit.author"
PEOPLE = ("anna", "emma", "noah", "otto", "pia")


def emmas_verdicts():
    """One mistake with a name, one that follows from it, one that is wrong beside it, and one not written."""
    (last,) = [row for row in loaded(ASSIGNMENT).exercises if row.grade_id == "update-parameters"]
    blank = f"Exercise 10: {last.function} is not written yet."
    changes = lost("linear-backward", {"dW": FOUND}, mistake={"name": "dW-not-averaged", "hint": HINT})
    changes |= {"linear-activation-backward": {"follows": ["linear_backward"]}}
    changes |= lost(
        "l-model-backward", {"dW and db, two layers": "dW1: 9 of 12 entries wrong."}, calls=["linear_backward"]
    )
    changes |= lost("update-parameters", {check.name: blank for check in last.checks}, summary=blank)
    return verdicts(changes, notes=["The notebook was called my homework.ipynb; it was graded as step-by-step.ipynb."])


def emmas_marks(book, entry):
    book.update_or_create_student("emma", first_name="Emma", last_name="Ødegård")
    grade = book.find_grade("l-model-forward-test", ASSIGNMENT, ASSIGNMENT, "emma")
    grade.manual_score = 14
    comment = book.find_comment("l-model-forward", ASSIGNMENT, ASSIGNMENT, "emma")
    comment.manual_comment = "A **short** loop. <script>alert(1)</script>See $W^{[l]}$."
    entry.notebooks[0].late_submission_penalty = 2.5


def emmas_notebook(notebook):
    notebook["cells"] += [
        code_cell("df", display(text_html="<table><tr><th></th><th>a</th></tr><tr><th>0</th><td>1</td></tr></table>")),
        code_cell("plot()", display(image_png=PNG, text_html="<b>not this</b>")),
        code_cell(
            "wide = 1  # " + "long " * 60,
            {"output_type": "stream", "name": "stdout", "text": "\x1b[31m10%\r100%\x1b[0m " + "9" * 300},
            {
                "output_type": "error",
                "ename": "ValueError",
                "evalue": "no",
                "traceback": ["\x1b[0;31mValueError\x1b[0m"],
            },
        ),
        text_cell("##### A deep heading\n\n$$\\frac{1}{m} \\sum_i a^{(i)} " + "+ x " * 80 + "$$"),
    ]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """A course with five pages: all right, several mistakes, a damaged file, graded before verdicts were kept, and
    one whose grading was stopped."""
    course = copy_course(tmp_path_factory.mktemp("pages") / "course")
    open_gradebook(course)
    put_back(course, "anna", verdicts(), graded_notebook(course))
    put_back(course, "emma", emmas_verdicts(), graded_notebook(course, emmas_notebook), emmas_marks)
    nothing = {}
    for row in loaded(ASSIGNMENT).exercises:
        nothing |= lost(row.grade_id, {check.name: PROBLEM for check in row.checks}, earned=0.0)
    put_back(
        course, "noah", verdicts(nothing, problem=PROBLEM, notes=[f"Not graded. {PROBLEM}."]), graded_notebook(course)
    )

    def old_comment(book, entry):
        book.find_comment("linear-forward", ASSIGNMENT, ASSIGNMENT, "otto").auto_comment = "Z: off by a <b>sign</b>."

    half = {row.grade_id: row.points for row in loaded(ASSIGNMENT).exercises} | {"linear-forward": 1.0}
    put_back(course, "otto", None, graded_notebook(course), old_comment, half)

    def stopped(book, entry):
        book.find_grade("compute-cost-test", ASSIGNMENT, ASSIGNMENT, "pia").auto_score = None

    put_back(course, "pia", verdicts(), graded_notebook(course), stopped)
    return course


@pytest.fixture(scope="module")
def pages(classroom):
    return {student: page_of(classroom, student) for student in PEOPLE}


def section(html: str, number: int) -> str:
    """The text of the section of one exercise."""
    return Parsed(re.search(rf'(?s)<section class="card[^>]* id="exercise-{number}".*?</section>', html)[0]).text


def test_a_page_full_of_right_answers_says_so(pages):
    said = Parsed(pages["anna"]).text
    assert "Everything is right" in said
    assert "100 of 100 points" in said
    assert "10 of 10 exercises right" in said
    assert "What was found" not in said


def test_the_head_says_whose_page_it_is_and_counts_what_a_person_and_the_clock_did(pages):
    said, title = Parsed(pages["emma"]).text, re.search("<title>(.*?)</title>", pages["emma"])[1]
    total = 100 - 4 - 4 - 5 - 1 - 2.5
    assert f"{total:g} of 100 points" in said
    assert title == f"step-by-step, emma: {total:g} of 100 points"
    assert "Emma Ødegård (emma)" in said
    assert "2.5 points taken off for handing in late" in said
    assert "6 of 10 exercises right" in said
    assert "it was graded as step-by-step.ipynb" in said


def test_an_exercise_tells_its_checks_what_was_found_the_cause_and_what_to_read(pages):
    said = section(pages["emma"], 7)
    assert "6 of 10 points" in said
    assert "dW: not passed, 0 of 4 points" in said
    assert "db: passed, 2 of 2 points" in said
    assert FOUND in said
    assert "in every case tried; for instance 5 examples" in said
    assert HINT in said
    assert "Each gradient has the shape of what it belongs to" in said


def test_what_differs_in_numbers_only_is_told_once():
    """Two boxes that say nearly the same make a reader look for the difference."""
    reasons = ["W has shape (2, 3)", "", "W has shape (4, 5)", NOTHING_ELSE, "b is missing"]
    checks = tuple(marks.CheckResult(f"check {number}", 1, not reason, reason) for number, reason in enumerate(reasons))
    found = marks.ExerciseFeedback("a", "a", 5, 1, checks=checks).found
    assert [check.reason for check in found] == ["W has shape (2, 3)", "b is missing"]
    alone = (marks.CheckResult("check", 1, False, NOTHING_ELSE),)
    assert marks.ExerciseFeedback("a", "a", 1, 0, checks=alone).found == alone


def test_a_follow_on_error_keeps_its_points_and_names_whose_error_it_was(pages):
    said = section(pages["emma"], 8)
    assert "This one is right." in said
    assert "the error comes from linear_backward" in said
    assert "10 of 10 points" in said
    assert "linear_backward, which L_model_backward uses, is wrong as well" in section(pages["emma"], 9)


def test_the_first_place_to_start_is_where_the_error_is(pages):
    assert re.search(r'A good place to start: <a href="#exercise-7">', pages["emma"])


def test_a_persons_mark_and_comment_are_shown_as_theirs(pages):
    html = pages["emma"]
    said = section(html, 5)
    assert "A person set this mark; the grader by itself had given 15 points." in said
    assert "14 of 15 points" in said
    assert "<strong>short</strong>" in html
    assert "alert(1)" not in html


def test_what_is_not_written_is_called_that(pages):
    said = section(pages["emma"], 10)
    assert "not written yet" in said
    assert said.count("is not written yet.") == 1


def test_a_damaged_submission_has_a_page_in_words(pages):
    said = Parsed(pages["noah"]).text
    assert PROBLEM in said
    assert "What you handed in is kept exactly as it was" in said
    assert "What to do" in said
    assert "Your notebook, as it was run" not in said  # it would be the release, and nobody's work
    assert "not right yet" not in said


def test_without_verdicts_the_gradebooks_comments_stand_in(pages):
    assert "Z: off by a <b>sign</b>." in section(pages["otto"], 3)
    assert "partly right" in section(pages["otto"], 3)
    assert "linear_forward" in section(pages["otto"], 3)


def test_grading_that_was_stopped_is_no_zero(pages):
    assert "not graded" in section(pages["pia"], 6)
    assert "these marks are not final" in Parsed(pages["pia"]).text


def test_verdicts_of_an_older_run_do_not_speak_for_other_marks(tmp_path, classroom):
    """The gradebook is what counts: where it says something else, the notebook's verdicts are out of date."""
    marks = {row.grade_id: row.points for row in loaded(ASSIGNMENT).exercises} | {"compute-cost": 3.0}
    put_back(classroom, "rosa", verdicts(), graded_notebook(classroom), automatic=marks)
    said = section(page_of(classroom, "rosa"), 6)
    assert "3 of 10 points" in said
    assert "passed" not in said


@pytest.mark.parametrize("student", PEOPLE)
def test_no_hidden_test_is_on_any_page(pages, student, classroom):
    source = notebooks.read(classroom.source(ASSIGNMENT))
    hidden = [cell.source for cell in source.cells if notebooks.is_test(cell)]
    assert all(SECRET in code for code in hidden)
    assert SECRET not in pages[student]
    assert "HIDDEN TESTS" not in pages[student]


@pytest.mark.parametrize(
    "tail", ["", "\n### END HIDDEN TESTS\nprint(2)\n### BEGIN HIDDEN TESTS\nsecret", "\n# BEGIN HIDDEN TESTS again"]
)
def test_hidden_regions_are_left_out_however_they_end(tail):
    cell = code_cell("print(1)\n### BEGIN HIDDEN TESTS\nsecret" + tail)
    cell["metadata"] = {"nbgrader": {"grade": True, "solution": False, "grade_id": "f-test"}}
    assert "secret" not in cells.without_hidden_tests(cell)
    assert cells.without_hidden_tests(cell).startswith("print(1)")


def test_a_page_is_one_file_with_nothing_beside_it(classroom, pages):
    folder = classroom.feedback(ASSIGNMENT, "emma")
    assert [path.name for path in folder.iterdir()] == [f"{ASSIGNMENT}.html"]
    parsed = Parsed(pages["emma"])
    assert not parsed.all("script", "link", "iframe", "object", "embed", "base")
    assert all(image["src"].startswith("data:image/png;base64,") for image in parsed.all("img"))
    assert not re.search(r"url\(|@import|@font-face", pages["emma"])


def test_every_link_on_the_page_leads_somewhere(pages):
    for html in pages.values():
        parsed = Parsed(html)
        ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        inside = [link["href"][1:] for link in parsed.all("a") if link["href"].startswith("#")]
        assert set(inside) <= set(ids)


def test_each_graded_cell_and_its_exercise_lead_to_each_other(pages):
    html = pages["emma"]
    (answer,) = re.findall(r'id="(cell-\d+)">\s*<p class="about">Your answer to <a href="#exercise-7">', html)
    assert f'<a href="#{answer}">your answer</a>' in html


def test_stock_nbgrader_makes_the_same_page(classroom, pages):
    path = classroom.feedback(ASSIGNMENT, "emma") / f"{ASSIGNMENT}.html"
    path.unlink()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "nbgrader",
        "generate_feedback",
        ASSIGNMENT,
        "--student=emma",
        "--force",
    ]
    subprocess.run(command, cwd=classroom.root, env=environment, capture_output=True, check=True)
    assert path.read_text(encoding="utf-8") == pages["emma"]
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_the_notes_cell_is_shown_only_where_the_page_does_not_tell_them(course):
    note = text_cell("**About this notebook**\n\n* pasted twice", NOTES_ID)
    notebook = notebooks.parse(json.dumps(graded_notebook(course, lambda nb: nb["cells"].insert(0, note))), "x")
    assert "pasted twice" in cells.render(notebook, notes_shown_above=False)[0].html
    assert "pasted twice" not in cells.render(notebook, notes_shown_above=True)[0].html


def test_equations_of_all_notebooks_are_drawn_offline():
    """No TeX is left in the text of any released notebook, and none falls back to its source."""
    for assignment in Course(ROOT).assignments():
        for cell in notebooks.read(Course(ROOT).source(assignment)).cells:
            if cell.cell_type == "markdown":
                html = markdown.html(cell.source)
                said = re.sub(r"(?s)<(code|pre)\b.*?</\1>", "", html)
                assert not re.search(r"\$|\\[a-z]", said), (assignment, cell.id)
                assert 'class="tex"' not in html, (assignment, cell.id)


@pytest.mark.parametrize("tex", [r"\frac", "{", r"\unknown{x}", r"\begin{foo}x", "{" * 500, "x" * 3000])
def test_an_equation_that_cannot_be_drawn_is_readable_as_it_is(tex):
    assert equations.mathml(tex).startswith('<code class="tex">')


@pytest.mark.parametrize(
    ("source", "equation"),
    [
        ("$x$", True),
        ("a $x_1$ b $y$", True),
        ("$$\n- a\n= b\n$$", True),
        ("\\begin{align}a&=b\\end{align}", True),
        ("it costs $5 and $6", False),
        ("`$x$`", False),
        ("\\$x\\$", False),
        ("    $x$", False),
    ],
)
def test_equations_are_found_where_jupyterlab_finds_them(source, equation):
    assert ("<math" in markdown.html(source)) is equation
    assert ("<li>" in markdown.html(source)) is False


def test_headings_of_a_notebook_follow_the_pages_own_without_a_gap():
    outline = sanitise.Outline(above=2)
    levels = re.findall(r"<h(\d)>", "".join(markdown.html(f"{'#' * n} x", outline) for n in (4, 1, 3, 3, 6, 2)))
    assert levels == ["3", "3", "4", "5", "6", "4"]


def test_tables_of_data_frames_stay_tables():
    frame = "<table border=1 class=dataframe><thead><tr style='text-align: right;'><th></th><th>a</th></tr></thead>" \
            "<tbody><tr><th>0</th><td>1.5</td></tr></tbody></table>"  # fmt: skip
    assert sanitise.clean(f"<div><style scoped>.x {{}}</style>{frame}</div>") == (
        '<div><div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'
        "<thead><tr><td></td><th>a</th></tr></thead><tbody><tr><th>0</th><td>1.5</td></tr></tbody></table></div></div>"
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [("a\u202eb", "a⟨U+202E⟩b"), ("\x1b[31mred\x1b[0m", "red"), ("1%\r50%\r100%", "100%"), ("a\r\nb", "a\nb"),
     ("é 日本 👩\u200d🔬", "é 日本 👩\u200d🔬"), ("a\x00b", "a⟨U+0000⟩b"), ("x\ty\n", "x\ty\n")],
)  # fmt: skip
def test_terminal_text_is_shown_as_it_was_seen(said, shown):
    assert text.terminal(said) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (-0.0, "0"), (7.5, "7.5"), (100.0, "100"), (86.666666, "86.67"), (0.1 + 0.2, "0.3")]
)
def test_points_are_written_as_people_write_them(value, shown):
    assert page.number(value) == shown


def test_a_submission_nobody_graded_has_no_page_and_a_reason(classroom):
    folder = classroom.autograded(ASSIGNMENT, "zoe")
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text(notebooks.dumps(notebooks.read(classroom.source(ASSIGNMENT))))
    (written,) = generation.feedback(classroom, ASSIGNMENT, ["zoe"])
    assert "No such" in written.problem
    assert not written.path.exists()


def test_the_wheel_has_the_template_and_the_style(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"coursekit/feedback/templates/page.{kind}" for kind in ("html", "css")} <= names


@pytest.fixture(scope="module")
def browser():
    executable = jupyterlab.find_browser()
    if executable is None:
        pytest.skip("no Chromium on PATH: the pages were not looked at in a browser")
    with jupyterlab.browser(executable) as started:
        yield started


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_the_pages(browser, classroom, pages, scheme, width):
    """axe finds nothing, and only boxes that can be reached by keyboard scroll sideways."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for student in ("emma", "noah"):
        seen = context.new_page()
        seen.goto((classroom.feedback(ASSIGNMENT, student) / f"{ASSIGNMENT}.html").as_uri())
        if (scheme, width) in (("light", 360), ("dark", 1280)):  # it takes seconds
            found = Axe().run(seen)
            assert found.violations_count == 0, found.generate_report()
        assert seen.evaluate("() => document.documentElement.scrollWidth") == width
        scrolling = """() => [...document.querySelectorAll('main *')].filter(
            box => box.scrollWidth > box.clientWidth + 1
                && ['auto', 'scroll'].includes(getComputedStyle(box).overflowX)
                && box.tabIndex < 0 && !box.querySelector('[tabindex="0"]')
        ).map(box => box.outerHTML.slice(0, 200))"""
        assert seen.evaluate(scrolling) == []
        seen.close()
    context.close()


def test_the_page_works_by_keyboard_without_scripts_and_without_a_network(browser, classroom, pages):
    context = browser.new_context(viewport={"width": 800, "height": 600}, java_script_enabled=False, offline=True)
    seen, asked = context.new_page(), []
    seen.on("request", lambda request: asked.append(request.url))
    address = (classroom.feedback(ASSIGNMENT, "emma") / f"{ASSIGNMENT}.html").as_uri()
    seen.goto(address)
    seen.keyboard.press("Tab")
    seen.keyboard.press("Enter")
    assert seen.url.endswith("#main")
    seen.get_by_role("link", name="linear_backward", exact=True).first.focus()
    seen.keyboard.press("Enter")
    assert seen.url.endswith("#exercise-7")
    assert seen.get_by_role("heading", name="linear_backward").first.is_visible()
    assert {url for url in asked if not url.startswith("data:")} <= {address}
    context.close()

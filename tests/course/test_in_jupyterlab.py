"""The course as people meet it: real JupyterLab, real kernels, real nbgrader, in a headless Chromium."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from coursekit.authoring import release
from coursekit.grading import grade, gradebook
from coursekit.lab import plan, student_workspace
from coursekit.lab import server as lab_server
from coursekit.lab.plan import LabServer
from coursekit.model import notebooks
from coursekit.model.course import Course
from tests.classroom import ASSIGNMENT, copy_course, fill_in, hand_in, small_course, solution_cells
from tests.course import jupyterlab
from tests.tables import ASSIGNMENTS, loaded

NOTEBOOK = f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
PANEL = jupyterlab.PANEL
OTHERS = tuple(name for name in ASSIGNMENTS if name != ASSIGNMENT)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab, its pages in the browser, and the addresses elsewhere that they asked for."""

    course: Course
    server: LabServer
    pages: BrowserContext
    outside: list[str]


@dataclass(frozen=True)
class Opened:
    """A notebook whose cells have been run, in its page."""

    page: Page
    cells: list[dict[str, Any]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = jupyterlab.find_browser()
    if executable is None:
        reason = f"no browser: none of {', '.join(jupyterlab.BROWSERS)} is on PATH"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with jupyterlab.browser(executable) as started:
        yield started


@pytest.fixture(scope="module")
def student_lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("student")
    course = copy_course(home / "course")
    student_workspace.update(course)
    server = jupyterlab.observable(plan.plan(course, student=True), home)
    outside: list[str] = []
    with lab_server.running(server):
        yield Lab(course, server, jupyterlab.context(browser, server, outside), outside)


@pytest.fixture(scope="module")
def untouched(student_lab: Lab) -> Opened:
    """The release in the student's lab; every cell has been run, whatever the ones before it said."""
    page = student_lab.pages.new_page()
    jupyterlab.open_notebook(page, student_lab.server, student_lab.server.opens)
    return Opened(page, jupyterlab.run_all(page, go_on=True))


@pytest.fixture(scope="module")
def instructor_lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("instructor")
    course = small_course(home / "course")  # text and figures are looked at in the student's notebook
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    source["cells"] = _without_text(source["cells"])
    course.source(ASSIGNMENT).write_text(json.dumps(source), encoding="utf-8")
    for student, answers in _submissions(course).items():
        hand_in(course, student, fill_in(_released(course), answers))
    server = jupyterlab.observable(plan.plan(course), home)
    outside: list[str] = []
    with lab_server.running(server):
        yield Lab(course, server, jupyterlab.context(browser, server, outside), outside)


@pytest.fixture(scope="module")
def solution(instructor_lab: Lab) -> Opened:
    """The source notebook in the instructor's lab, after Run All."""
    page = instructor_lab.pages.new_page()
    jupyterlab.open_notebook(page, instructor_lab.server, f"source/{NOTEBOOK}")
    return Opened(page, jupyterlab.run_all(page))


def test_equations_are_set(untouched: Opened) -> None:
    """A dollar sign that is left over, or a red error of MathJax, is an equation that nobody can read."""
    _check_equations(untouched)


def _check_equations(opened: Opened) -> None:
    page = opened.page
    assert page.locator(f"{PANEL} mjx-container").count() >= _equations(opened.cells) > 0
    # MathJax marks what it cannot read as an error, and sets a command that it does not know in red.
    assert page.locator(f"{PANEL} mjx-assistive-mml :is(merror, [mathcolor=red])").all_text_contents() == []
    texts = page.locator(f"{PANEL} .jp-MarkdownOutput :is(p, li, td, th, h1, h2, h3, h4)").all_inner_texts()
    assert texts
    assert [text for text in texts if "$" in text] == []


def test_figures_are_shown_with_a_text_for_those_who_cannot_see_them(untouched: Opened) -> None:
    _check_figures(untouched)


def _check_figures(opened: Opened) -> None:
    called = re.compile(r"(?m)^draw_\w+\(")
    drawn = [cell["id"] for cell in opened.cells if cell["cell_type"] == "code" and called.search(_text(cell))]
    assert drawn
    for cell_id in drawn:
        image = jupyterlab.cell(opened.page, cell_id).locator(".jp-OutputArea-output img")
        expect(image).to_have_count(1)
        assert image.evaluate("image => image.naturalWidth") > 100, cell_id
        assert len(image.get_attribute("alt") or "") > 20, cell_id


def test_tables_are_tables(untouched: Opened) -> None:
    """A table whose ruler is wrong stays a paragraph full of bars."""
    written = sum(_text(cell).count("|:--") > 0 for cell in untouched.cells if cell["cell_type"] == "markdown")
    assert untouched.page.locator(f"{PANEL} .jp-MarkdownOutput table").count() >= written > 0
    paragraphs = untouched.page.locator(f"{PANEL} .jp-MarkdownOutput p").all_inner_texts()
    assert [text for text in paragraphs if text.startswith("|")] == []


def test_every_exercise_says_that_it_is_not_written_yet(untouched: Opened) -> None:
    said = jupyterlab.errors(untouched.cells)
    for number, row in enumerate(loaded(ASSIGNMENT).exercises, 1):
        assert f"Exercise {number}: {row.function}" in said[f"{row.grade_id}-test"]
        expect(jupyterlab.cell(untouched.page, f"{row.grade_id}-test")).to_contain_text(
            f"Exercise {number}: {row.function} is not written yet"
        )


def test_nothing_is_asked_of_the_network(untouched: Opened, student_lab: Lab) -> None:
    """The course works on a train, and tells nobody who takes it."""
    assert untouched.cells
    assert student_lab.outside == []


def test_the_students_kernel_finds_only_what_is_released(untouched: Opened, student_lab: Lab) -> None:
    """Otherwise a notebook could work here, and for no student anywhere."""
    ours = ["coursekit", "demo", "equivalents", "exercises", "hidden", "mistakes", "nbgrader_config", "sizes", "tests"]
    code = f"""
        import json, public_tests
        from importlib.util import find_spec
        print(json.dumps([public_tests.__file__, [name for name in {ours} if find_spec(name)]]))
    """
    file, found = json.loads(jupyterlab.in_kernel(untouched.page, code))
    assert found == []
    assert Path(file) == student_lab.server.folder / ASSIGNMENT / "public_tests.py"


def test_the_student_has_only_validate_of_nbgraders_extensions(untouched: Opened) -> None:
    commands = untouched.page.evaluate("() => jupyterapp.commands.listCommands()")
    assert [name for name in commands if name.startswith("nbgrader:")] == []
    expect(untouched.page.locator(f"{PANEL} .validate-button")).to_be_visible()


def test_validate_says_that_the_untouched_release_fails(untouched: Opened) -> None:
    dialog = _validate(untouched.page)
    expect(dialog.locator(".validation-failed")).to_be_visible()
    dialog.get_by_role("button").last.click()


def test_validate_says_that_a_solved_notebook_passes(student_lab: Lab) -> None:
    folder = student_lab.server.folder / ASSIGNMENT
    solved = fill_in(_released(student_lab.course), solution_cells(student_lab.course))
    solved["cells"] = _without_text(solved["cells"])
    for cell in solved["cells"]:
        if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader"):
            cell["source"] = notebooks.imports(_text(cell))  # without the figures, which take longest
    (folder / "solved.ipynb").write_text(json.dumps(solved), encoding="utf-8")
    page = student_lab.pages.new_page()
    jupyterlab.open_notebook(page, student_lab.server, f"{ASSIGNMENT}/solved.ipynb")
    expect(_validate(page).locator(".validation-success")).to_be_visible()
    page.close()


@pytest.mark.nightly
def test_every_test_passes_on_the_solution(solution: Opened) -> None:
    """The author's view: the source notebook, run from top to bottom with its hidden tests; without its figures."""
    _check_solution(solution, ASSIGNMENT)


def _check_solution(opened: Opened, assignment: str) -> None:
    cells = opened.cells
    assert jupyterlab.errors(cells) == {}
    run = [cell for cell in cells if cell["cell_type"] == "code" and _text(cell).strip()]
    assert [cell["id"] for cell in run if not cell["execution_count"]] == []
    printed = {cell["id"]: "".join(_printed(cell)) for cell in cells}
    for row in loaded(assignment).exercises:
        assert f"{row.key} {row.points:g} of {row.points:g}" in printed[f"{row.grade_id}-test"]


@pytest.mark.nightly
@pytest.mark.parametrize("assignment", OTHERS)
def test_the_other_assignments_run_and_look_right_too(instructor_lab: Lab, assignment: str) -> None:
    page = instructor_lab.pages.new_page()
    jupyterlab.open_notebook(page, instructor_lab.server, f"source/{assignment}/{assignment}.ipynb")
    opened = Opened(page, jupyterlab.run_all(page))
    _check_solution(opened, assignment)
    _check_equations(opened)
    _check_figures(opened)
    page.close()


@pytest.mark.nightly
def test_the_instructor_has_formgrader_in_the_lab(solution: Opened) -> None:
    """With an exchange folder, too: without one its Release and Collect buttons are gone."""
    jupyterlab.execute(solution.page, "nbgrader:open-formgrader")
    formgrader = solution.page.frame_locator("iframe")
    expect(formgrader.locator("td.name a")).to_have_count(len(ASSIGNMENTS))
    assert set(formgrader.locator("td.name a").all_inner_texts()) == set(ASSIGNMENTS)
    expect(formgrader.locator(".alert-warning")).to_have_count(0)


@pytest.mark.nightly
def test_formgrader_generates_and_grades_as_we_do(instructor_lab: Lab) -> None:
    """Its buttons must give the release and the marks that our own commands give."""
    course, server = instructor_lab.course, instructor_lab.server
    page = instructor_lab.pages.new_page()
    page.goto(f"{server.url}/formgrader/manage_assignments?token={server.token}")
    page.locator(f"tr:has(td.name a:text-is('{ASSIGNMENT}')) td.assign a").click()
    _close_success(page)
    assert release.stale(course, ASSIGNMENT) == []

    page.goto(f"{server.url}/formgrader/manage_submissions/{ASSIGNMENT}")
    for student in _submissions(course):
        page.locator(f"tr:has(td.student-id:text-is('{student}')) td.autograde a").click()
        _close_success(page)
    expect(page.locator("tr:has(td.student-id:text-is('all-right')) td.score")).to_have_text("100 / 100")
    page.close()

    by_button = gradebook.read(course, ASSIGNMENT)
    assert {marks.student: marks.earned for marks in by_button} == {"all-right": 100, "not-the-last": 95}
    grade.grade(course, ASSIGNMENT, ["not-the-last"])
    assert gradebook.read(course, ASSIGNMENT) == by_button


def _submissions(course: Course) -> dict[str, dict[str, str]]:
    """The answers of two students, by the id of the cell."""
    answers = solution_cells(course)
    return {
        "all-right": answers,
        "not-the-last": {name: source for name, source in answers.items() if name != "update-parameters"},
    }


def _without_text(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["cell_type"] == "code" or cell["metadata"].get("nbgrader")]


def _released(course: Course) -> dict[str, Any]:
    return json.loads((course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))


def _validate(page: Page) -> Any:
    """Nbgrader's verdict on the open notebook, in its dialog."""
    page.locator(f"{PANEL} .validate-button").click()
    dialog = page.locator(".jp-Dialog")
    dialog.locator(".validation-success, .validation-failed").wait_for()
    return dialog


def _close_success(page: Page) -> None:
    """The button that was clicked has done its work; a failure shows the log of nbgrader."""
    shown = page.locator("#success-modal.in, #error-modal.in")
    shown.wait_for()
    assert shown.get_attribute("id") == "success-modal", shown.inner_text()
    shown.locator(".modal-footer button").click()
    page.locator(".modal-backdrop").wait_for(state="detached")


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _printed(cell: dict[str, Any]) -> Iterator[str]:
    return ("".join(output["text"]) for output in cell.get("outputs", ()) if output["output_type"] == "stream")


def _equations(cells: list[dict[str, Any]]) -> int:
    """Displayed equations in the Markdown cells: there must be at least as many as that."""
    return sum(_text(cell).count("$$") // 2 for cell in cells if cell["cell_type"] == "markdown")

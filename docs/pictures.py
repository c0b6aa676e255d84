"""Draw the pictures of the README, when what they show has changed: ``python docs/pictures.py [NAME ...]``.

notebook   a solved exercise in the student's JupyterLab, with its figure and its test
marks      the marks of the demo's class, and the reasons of some
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from coursekit.authoring import demo
from coursekit.grading import gradebook
from coursekit.lab import plan, student_workspace
from coursekit.lab import server as lab_server
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.reports import marks_table
from tests.classroom import ASSIGNMENT, copy_course, fill_in, solution_cells
from tests.course import jupyterlab

SHARP = 1.4  # device pixels per pixel of the page: below 300 kB
INK, PAPER = (36, 41, 47), (255, 255, 255)
RED, GREEN, YELLOW, BLUE = (180, 30, 45), (17, 99, 41), (145, 85, 0), (5, 80, 174)
THEME = TerminalTheme(PAPER, INK, [INK, RED, GREEN, YELLOW, BLUE, BLUE, BLUE, INK])  # dark enough on white


def notebook(course: Course, browser: Browser) -> bytes:
    """From the figure of an exercise down to the last line of its test's report."""
    student_workspace.update(course)
    path = student_workspace.folder(course) / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    solved = fill_in(json.loads(path.read_text(encoding="utf-8")), solution_cells(course))
    path.write_text(json.dumps(solved), encoding="utf-8")
    server = jupyterlab.observable(plan.plan(course, student=True), course.root.parent)
    with lab_server.running(server):
        size = {"width": 1060, "height": 1320}
        page = jupyterlab.context(browser, server, [], viewport=size, device_scale_factor=SHARP).new_page()
        jupyterlab.open_notebook(page, server, server.opens)
        jupyterlab.run_all(page)
        jupyterlab.execute(page, "application:toggle-left-area")
        jupyterlab.cell(page, "linear-backward").locator(".jp-InputPrompt").click()
        jupyterlab.cell(page, "layer-backward-figure").evaluate("cell => cell.scrollIntoView()")
        return page.screenshot()


def marks(course: Course, browser: Browser) -> bytes:
    """The tables as a terminal shows them, on white; not everybody's reasons, which would fill a page."""
    made = demo.prepare(course)
    demo.grade(made, lambda one: print(f"  graded {one.student}"))
    students = gradebook.read(made.scratch, ASSIGNMENT)
    some = [student for student in students if student.student in ("gita", "hugo", "ines", "jonas")]
    console = Console(record=True, width=112, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    assignment = assignments.load(made.scratch, ASSIGNMENT)
    for table in (marks_table.marks_table(students, ASSIGNMENT), marks_table.reasons_table(some, assignment)):
        console.print(table)
    style = "margin: 0; padding: 12px; width: max-content; font: 14px/16px 'DejaVu Sans Mono', monospace"
    page = browser.new_page(device_scale_factor=SHARP)
    page.set_content(
        console.export_html(theme=THEME, inline_styles=True, code_format=f'<pre style="{style}">{{code}}</pre>')
    )
    return page.locator("pre").screenshot()


def save(name: str, picture: bytes) -> None:
    path = Path(__file__).with_name(f"{name}.png")
    image = Image.open(io.BytesIO(picture)).convert("RGB")  # without transparency, and well packed
    image.save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB")


PICTURES: dict[str, Callable[[Course, Browser], bytes]] = {"notebook": notebook, "marks": marks}


def main(names: list[str]) -> None:
    executable = jupyterlab.find_browser()
    if executable is None or not set(names) <= set(PICTURES):
        sys.exit(f"needs one of {', '.join(jupyterlab.BROWSERS)}, and names out of: {', '.join(PICTURES)}")
    with jupyterlab.browser(executable) as browser:
        for name in names or PICTURES:
            with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
                save(name, PICTURES[name](copy_course(Path(scratch, "course")), browser))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The page on which a person grades a submission: how long it takes until it stands in a browser, equations set.

nbgrader's page loads MathJax from the network. Where there is none, a folder with MathJax 2 is served in its place, so
that equations cost what they cost those who grade.
"""

import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from coursekit.lab import plan, server
from coursekit.model.course import Course

TIMEOUT_S, ENOUGH_S, TRIES = 30.0, 2.5, 3
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_IDLE = "() => window.MathJax && MathJax.Hub ? new Promise(done => MathJax.Hub.Queue(() => done(true))) : true"

# The real one asks the network for the newest MathJax 2, and loads that with what it was given itself.
_LATEST = """const found = document.currentScript.src.replace('latest.js', 'MathJax.js');
document.write('<script src="' + found + '"><\\/script>');"""


class Pages:
    """The Formgrader of a course in a headless browser; a context manager by ``opened``."""

    def __init__(self, course: Course, assignment: str, browser: Any, mathjax: Path | None) -> None:
        self._course, self._browser, self._mathjax = course, browser, mathjax
        self._ids = _ids(course, assignment)
        self._running = ExitStack()
        self._start()

    def _start(self) -> None:
        self._server = plan.plan(self._course)
        self._running.enter_context(server.running(self._server))
        self._context = self._running.enter_context(self._browser.new_context())
        self._context.route("**/*", self._answer)
        with self._context.new_page() as page:  # the first page is slow, and sets the cookie
            page.goto(f"{self._server.url}/formgrader/?token={self._server.token}")

    def close(self) -> None:
        self._running.close()

    def seconds(self, student: str) -> float | None:
        """Until the page has loaded and MathJax has nothing left to do: the shortest of a few tries, on a busy machine.

        None where the student has no page; ``TIMEOUT_S`` where it was given up.
        """
        if student not in self._ids:
            return None
        shortest = TIMEOUT_S
        for _ in range(TRIES):
            took = self._once(student)
            shortest = min(shortest, took)
            if took < ENOUGH_S or took >= TIMEOUT_S / 3:
                break
        return shortest

    def _once(self, student: str) -> float:
        from playwright.sync_api import Error

        page = self._context.new_page()
        begun = time.monotonic()
        try:
            page.goto(f"{self._server.url}/formgrader/submissions/{self._ids[student]}/?index=0",
                      timeout=TIMEOUT_S * 1000)  # fmt: skip
            if "formgrader" not in page.url or page.locator("#notebook").count() < 1:
                raise RuntimeError(f"{page.url} is not the page of {student}")
            page.wait_for_function(_IDLE, timeout=TIMEOUT_S * 1000)
            took = time.monotonic() - begun
            page.close()
        except Error:  # the server may be at it for long, and so may the page
            self._running.close()
            self._start()
            return TIMEOUT_S
        return took

    def _answer(self, route: Any) -> None:
        """Requests to the server pass; MathJax comes from the folder, and nothing else from anywhere."""
        url = route.request.url
        if url.startswith((self._server.url, "data:", "blob:")):
            route.continue_()
        elif "/mathjax/" in url.lower() and self._mathjax is not None:
            name = url.partition("?")[0].partition("/2.7.7/")[2]
            file = self._mathjax / name
            if name == "latest.js":
                route.fulfill(content_type="text/javascript", body=_LATEST)
            elif file.is_file():
                route.fulfill(path=file)
            else:
                route.fulfill(status=404, body="")
        else:
            route.abort()


@contextmanager
def opened(course: Course, assignment: str, mathjax: Path | None) -> Iterator[Pages]:
    """The Formgrader is up, and a browser too. Raises RuntimeError where there is no browser."""
    from playwright.sync_api import sync_playwright

    executable = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        raise RuntimeError(f"no browser: none of {', '.join(_BROWSERS)} is on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=list(_QUIET))
        pages = Pages(course, assignment, browser, mathjax)
        try:
            yield pages
        finally:
            pages.close()
            browser.close()


def _ids(course: Course, assignment: str) -> dict[str, str]:
    """nbgrader's id of each student's notebook."""
    from nbgrader.api import Gradebook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy has much to say about nbgrader's models
        with Gradebook(course.db_url) as book:
            return {
                one.student.id: one.notebooks[0].id for one in book.assignment_submissions(assignment) if one.notebooks
            }

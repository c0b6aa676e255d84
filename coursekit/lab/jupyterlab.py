"""JupyterLab on the course, for its instructor or as a student sees it.

The steps: plan (values only), update the student workspace, start, wait.
"""

import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from coursekit.lab import plan, student_workspace
from coursekit.lab import server as lab_server
from coursekit.model.course import Course
from coursekit.model.errors import CourseError


def run(
    course: Course,
    student: bool = False,
    assignment: str | None = None,
    port: int | None = None,
    browser: bool = True,
    report: Callable[[str], None] = print,
) -> int:
    """Run JupyterLab until it is stopped by Ctrl-C or File -> Shut Down; returns the exit code.

    Raises CourseError if it cannot start or exits with an error. The user's own Jupyter settings are not in effect.
    """
    server = plan.plan(course, student, assignment, port)
    try:
        with _signals_interrupt():
            if student:
                _update_workspace(course, report)
            report("Starting JupyterLab …")
            with lab_server.running(server) as process:
                report(f"JupyterLab is at {server.address}\nCtrl-C stops it.")
                if browser and _has_display():
                    webbrowser.open(server.address)
                code = process.wait()
    except KeyboardInterrupt:
        report("JupyterLab has stopped.")
        return 0
    if code:
        raise CourseError(
            "JupyterLab", f"it broke off with exit code {code}", f"see {server.log}:\n{lab_server.tail(server.log)}"
        )
    return 0


def _update_workspace(course: Course, report: Callable[[str], None]) -> None:
    kept = student_workspace.update(course)
    where = student_workspace.folder(course).relative_to(course.root).as_posix()
    report(f"The student's folder is {where}: a copy of the release; what you change in it is kept.")
    if kept:
        report(f"Kept with your changes, though the release is newer: {', '.join(kept)}.")
        report("Delete a file there to get the new one.")


def _has_display() -> bool:
    """Whether there is a display; without one, ``webbrowser`` would start a text browser in this terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, so that no server stays behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

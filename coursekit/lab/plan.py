"""The command, folder, environment and configuration files of JupyterLab, as a value.

Both labs, the instructor's and the student's, have their own settings in ``.coursekit/lab/``. The Jupyter settings and
open tabs in the user's home are neither read nor written, so that courses do not affect each other.
"""

import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from coursekit import CHECKOUT
from coursekit.lab import settings, student_workspace
from coursekit.model import database
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class LabServer:
    """How to start JupyterLab. ``files`` are its configuration files, written when it starts."""

    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str]
    files: dict[Path, str]
    url: str
    token: str
    opens: str  # the notebook, relative to ``folder``; empty for none
    log: Path

    @property
    def address(self) -> str:
        """The URL of the notebook with the access token."""
        return f"{self.url}/lab{'/tree/' if self.opens else ''}{self.opens}?token={self.token}"


def plan(course: Course, student: bool = False, assignment: str | None = None, port: int | None = None) -> LabServer:
    """Command, environment and configuration of the lab. Raises CourseError if there is nothing to show.

    Instructor: the whole course, all of nbgrader's extensions, nbgrader_config.py in effect, a release open.
    Student: a copy of the releases, only Validate of the extensions, a kernel that imports nothing else.
    """
    opens = _notebook(course, student, assignment)
    port = _free_port(port)
    role = course.root / ".coursekit" / "lab" / ("student" if student else "instructor")
    folder = student_workspace.folder(course) if student else course.root
    python = student_workspace.python(course) if student else Path(sys.executable)
    token = secrets.token_hex(24)
    # In a container the user is often root, whom Jupyter refuses by default.
    root = ("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    return LabServer(
        command=(sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.port={port}", *root),
        folder=folder,
        environment=_environment(course, student, role, token),
        files=settings.files(role, folder, python, student, _HOST) | ({} if student else settings.exchange(course)),
        url=f"http://{_HOST}:{port}",
        token=token,
        opens=opens,
        log=role / "server.log",
    )


def _notebook(course: Course, student: bool, assignment: str | None) -> str:
    """The notebook to open, relative to the server's folder."""
    names = course.assignments()
    name = course.require(assignment) if assignment else next(iter(names), "")
    released = course.release(name) / f"{name}.ipynb"
    if name and released.is_file():
        return f"{name}/{name}.ipynb" if student else released.relative_to(course.root).as_posix()
    if student:
        raise CourseError(f"release/{name or '*'}", "there is no release to show", "run `./course release` first")
    return course.source(name).relative_to(course.root).as_posix() if name else ""


def _free_port(port: int | None) -> int:
    """``port`` if it is given, else a free one. Raises CourseError if it is in use."""
    with socket.socket() as probe:
        if os.name == "posix":  # as the server does: ignore connections that were just closed
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port or 0))
        except (OSError, OverflowError) as error:
            raise CourseError(
                f"port {port}", f"cannot be used ({error})", "name another, or none to get a free one"
            ) from None
        return int(probe.getsockname()[1])


def _environment(course: Course, student: bool, role: Path, token: str) -> dict[str, str]:
    """The user's environment without Jupyter's variables; only the instructor's has the course's modules."""
    dropped = ("JUPYTER", "JPY_", "PYTHONPATH", *([database.VARIABLE] if student else []))  # it may hold a password
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    ours = {
        "JUPYTER_CONFIG_DIR": str(role / "config"),
        "JUPYTER_DATA_DIR": str(role / "data"),
        "JUPYTER_PATH": str(role / "share"),  # the kernel; searched before all other folders
        "JUPYTER_RUNTIME_DIR": str(role / "runtime"),
        "JUPYTER_TOKEN": token,
        "IPYTHONDIR": str(role / "ipython"),
        # nbgrader starts alembic by name
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    if not student:
        ours["PYTHONPATH"] = os.pathsep.join([str(course.root), str(CHECKOUT)])
    return kept | ours

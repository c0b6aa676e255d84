"""JupyterLab on the course, for its instructor or as a student sees it.

Both run with settings of their own in ``.coursekit/lab/``: the Jupyter settings and open tabs in the user's
home are neither read nor written, so that everybody sees the same thing and two courses never mix.
The steps: plan (values only), hand out what a student gets, start, wait.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from coursekit import CHECKOUT, database, deadline, handout
from coursekit.course import Course
from coursekit.deadline import Deadline
from coursekit.errors import CourseError

# A busy machine puts these off (``Deadline``).
START_TIMEOUT_S = 60.0  # 5 to 7 s on a laptop; the first start on a cold disk takes much longer
STOP_TIMEOUT_S = 15.0
_REQUEST_TIMEOUT_S = 30.0  # then it is asked again
_HOST = "127.0.0.1"
_EXTENSIONS = ("formgrader", "validate_assignment", "assignment_list", "course_list")
_PLUGINS = (
    "formgrader",
    "validate-assignment",
    "assignment-list",
    "course-list",
    "create-assignment",
    "menu",
)
_FOR_STUDENTS = ("validate_assignment", "validate-assignment")


@dataclass(frozen=True)
class Server:
    """What JupyterLab is started with. ``files`` are its configuration, written when it starts."""

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
        """What to type into a browser: the notebook, with the token that lets one in."""
        return f"{self.url}/lab{'/tree/' if self.opens else ''}{self.opens}?token={self.token}"


def run(
    course: Course,
    student: bool = False,
    assignment: str | None = None,
    port: int | None = None,
    browser: bool = True,
    report: Callable[[str], None] = print,
) -> int:
    """JupyterLab has been started, used and stopped (by Ctrl-C, or File -> Shut Down); returns the exit code.

    Raises CourseError when it cannot start or breaks off. The user's own Jupyter settings are not in effect.
    """
    server = plan(course, student, assignment, port)
    try:
        with _signals_interrupt():
            if student:
                _hand_out(course, report)
            report("Starting JupyterLab …")
            with running(server) as process:
                report(f"JupyterLab is at {server.address}\nCtrl-C stops it.")
                if browser and _has_display():
                    webbrowser.open(server.address)
                code = process.wait()
    except KeyboardInterrupt:
        report("JupyterLab has stopped.")
        return 0
    if code:
        raise CourseError(
            "JupyterLab", f"it broke off with exit code {code}", f"see {server.log}:\n{_tail(server.log)}"
        )
    return 0


def plan(course: Course, student: bool = False, assignment: str | None = None, port: int | None = None) -> Server:
    """Command, environment and configuration of the lab. Raises CourseError where there is nothing to show.

    Instructor: the whole course, all of nbgrader's extensions, nbgrader_config.py in effect, a release open.
    Student: a copy of the releases, only Validate of the extensions, a kernel that imports nothing else.
    """
    opens = _notebook(course, student, assignment)
    port = _free_port(port)
    role = course.root / ".coursekit" / "lab" / ("student" if student else "instructor")
    folder = handout.folder(course) if student else course.root
    python = handout.python(course) if student else Path(sys.executable)
    token = secrets.token_hex(24)
    # A superuser is what one is in a container.
    root = ("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    return Server(
        command=(sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.port={port}", *root),
        folder=folder,
        environment=_environment(course, student, role, token),
        files=_files(role, folder, python, student) | ({} if student else _exchange(course)),
        url=f"http://{_HOST}:{port}",
        token=token,
        opens=opens,
        log=role / "server.log",
    )


@contextmanager
def running(server: Server, timeout_s: float = START_TIMEOUT_S) -> Iterator[subprocess.Popen[bytes]]:
    """The server is up and answers; it ends with the block, and its kernels too. Raises CourseError."""
    for path, text in server.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server.command,
            cwd=server.folder,  # nbgrader reads nbgrader_config.py there
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: the server would ask whether it is meant
        )
    try:
        _wait_until_up(server, process, timeout_s)
        yield process
    finally:
        _stop(process)


def _hand_out(course: Course, report: Callable[[str], None]) -> None:
    kept = handout.hand_out(course)
    where = handout.folder(course).relative_to(course.root).as_posix()
    report(f"The student's folder is {where}: a copy of the release; what you change in it is kept.")
    if kept:
        report(f"Kept with your changes, though the release is newer: {', '.join(kept)}.")
        report("Delete a file there to get the new one.")


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
    """The port itself, or any that is free. Raises CourseError if it is taken."""
    with socket.socket() as probe:
        if os.name == "posix":  # as the server will: a connection that was just closed is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port or 0))
        except (OSError, OverflowError) as error:
            raise CourseError(
                f"port {port}", f"cannot be used ({error})", "name another, or none to get a free one"
            ) from None
        return int(probe.getsockname()[1])


def _environment(course: Course, student: bool, role: Path, token: str) -> dict[str, str]:
    """The user's environment without its Jupyter part; the course's modules for the instructor alone."""
    dropped = ("JUPYTER", "JPY_", "PYTHONPATH", *([database.VARIABLE] if student else []))  # it may hold a password
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    ours = {
        "JUPYTER_CONFIG_DIR": str(role / "config"),
        "JUPYTER_DATA_DIR": str(role / "data"),
        "JUPYTER_PATH": str(role / "share"),  # the kernel; looked up before every other place
        "JUPYTER_RUNTIME_DIR": str(role / "runtime"),
        "JUPYTER_TOKEN": token,
        "IPYTHONDIR": str(role / "ipython"),
        # nbgrader starts alembic by name
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    if not student:
        ours["PYTHONPATH"] = os.pathsep.join([str(course.root), str(CHECKOUT)])
    return kept | ours


def _files(role: Path, folder: Path, python: Path, student: bool) -> dict[Path, str]:
    config = role / "config"
    wanted = {name: not student or name in _FOR_STUDENTS for name in (*_EXTENSIONS, *_PLUGINS)}
    off = ["@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"]
    off += [f"@jupyter/nbgrader:{name}" for name in _PLUGINS if not wanted[name]]
    server = {
        "ServerApp": {
            "ip": _HOST,
            "port_retries": 0,
            "open_browser": False,
            "root_dir": str(folder),
            "jpserver_extensions": {f"nbgrader.server_extensions.{name}": wanted[name] for name in _EXTENSIONS},
        },
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "KernelSpecManager": {"allowed_kernelspecs": ["python3"]},
    }
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    contents: dict[Path, Any] = {
        config / "jupyter_server_config.json": server,
        config / "labconfig" / "page_config.json": {"disabledExtensions": dict.fromkeys(off, True)},
        config / "labconfig" / "default_setting_overrides.json": {"@jupyterlab/apputils-extension:notification": quiet},
        role / "share" / "kernels" / "python3" / "kernel.json": {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",  # as in the notebooks: saving them shall not change it
            "language": "python",
            "metadata": {"debugger": True},
        },
    }
    return {path: json.dumps(content, indent=1) for path, content in contents.items()}


def _exchange(course: Course) -> dict[Path, str]:
    """Without a folder to exchange files in, the Assignment List and the Formgrader's Release button fail."""
    text = "What the Formgrader's Release button copies, and what is submitted with nbgrader on this machine.\n"
    return {course.root / ".coursekit" / "exchange" / "README.txt": text}


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], timeout_s: float) -> None:
    asked = urllib.request.Request(f"{server.url}/api/status", headers={"Authorization": f"token {server.token}"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through the user's proxy
    until = Deadline(timeout_s)
    while (left_s := until.left_s()) > 0:
        if process.poll() is not None:
            raise CourseError("JupyterLab", f"it does not start (exit code {process.returncode})",
                              f"see {server.log}:\n{_tail(server.log)}")  # fmt: skip
        try:
            with direct.open(asked, timeout=min(_REQUEST_TIMEOUT_S, left_s)):
                return
        except OSError:
            time.sleep(0.1)
    raise CourseError("JupyterLab", f"it is not up after {timeout_s:g} s", f"see {server.log}:\n{_tail(server.log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The server is gone; its kernels end with it."""
    process.terminate()
    try:
        deadline.ended(process, Deadline(STOP_TIMEOUT_S))
    except KeyboardInterrupt:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _has_display() -> bool:
    """Without one ``webbrowser`` would start a browser of text in this terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A closed terminal or a ``kill`` ends the lab as Ctrl-C does, so that no server stays behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

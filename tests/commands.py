"""Commands as a person runs them, each in a process of its own, and without the seconds that Python's imports take.

The processes are forked from one that has imported the engine and done nothing else: a command has its own working
directory, environment, streams, signals and exit code, as if it had been started by a shell. That `coursekit` also
starts from nothing is proved in test_cli.py.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.leaks import of_a_fixture
from tests.patience import Wait

_IMPORTED = ("tests.imported",)
_STREAMS = ("out", "err")
COLUMNS = {"COLUMNS": "120"}


@dataclass(frozen=True)
class Done:
    """A command that has ended. ``raw`` is what it wrote to the standard output."""

    returncode: int
    stdout: str
    stderr: str
    raw: bytes


class Running:
    """A process that runs a function, as the leader of a session of its own. A context manager."""

    def __init__(self, function: Callable[..., None], arguments: tuple[Any, ...], root: Path, given: Mapping[str, str]):
        self._said = tempfile.TemporaryDirectory(prefix="said-")
        self._encoding = given.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
        environment = {name: value for name, value in (os.environ | COLUMNS | dict(given)).items() if value}
        how = (function, arguments, str(root), environment, self._said.name)
        with of_a_fixture("session"):  # the process from which they are forked stays for all tests
            self._process = _context().Process(target=_run, args=how)
            self._process.start()
        self.pid = self._process.pid or 0

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self._process.close()
        self._said.cleanup()

    def kill(self) -> None:
        """The process is killed, as kill -9 does; not those that it has started."""
        self._process.kill()

    def end(self, quiet_s: float = 6.0) -> Done:
        """What it said, once it has ended by itself; one that never does fails the test."""
        wait = Wait(quiet_s)
        while self._process.exitcode is None and wait.left_s() > 0:
            self._process.join(max(0.1, wait.slice_s()))
        out, err = (Path(self._said.name, name).read_bytes() for name in _STREAMS)
        assert self._process.exitcode is not None, f"it never ended, and said: {out!r} {err!r}"
        return Done(self._process.exitcode, out.decode(self._encoding, "replace"), err.decode(self._encoding), out)


def start(*arguments: str, root: Path, **environment: str) -> Running:
    """`coursekit` with these arguments in ``root``; a variable that is empty is not set."""
    return Running(_main, arguments, root, environment)


def coursekit(*arguments: str, root: Path, **environment: str) -> Done:
    """The same, until it has ended."""
    with start(*arguments, root=root, **environment) as running:
        return running.end()


def nbgrader(*arguments: str, root: Path, **environment: str) -> Done:
    """Stock nbgrader's own command with these arguments in ``root``, until it has ended."""
    with Running(_nbgrader, arguments, root, environment) as running:
        return running.end()


def run(program: str, *arguments: str, root: Path, **environment: str) -> Done:
    """A program, as its text, with these arguments in such a process, until it has ended."""
    with Running(_program, (program, *arguments), root, environment) as running:
        return running.end()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context


def _main(*arguments: str) -> None:
    from coursekit.cli import app

    sys.argv = ["coursekit", *arguments]
    app.main()


def _nbgrader(*arguments: str) -> None:
    from nbgrader.apps import nbgraderapp

    sys.argv = ["nbgrader", *arguments]
    nbgraderapp.main()


def _program(text: str, *arguments: str) -> None:
    sys.argv = ["-c", *arguments]
    exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})


def _run(
    function: Callable[..., None], arguments: tuple[Any, ...], root: str, environment: dict[str, str], said: str
) -> None:
    os.setsid()
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, name in enumerate(_STREAMS, 1):
        with Path(said, name).open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    encoding, _, errors = environment.get("PYTHONIOENCODING", "utf-8").partition(":")
    sys.stdout = open(1, "w", encoding=encoding, errors=errors or "strict", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    function(*arguments)

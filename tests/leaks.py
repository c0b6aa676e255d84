"""What a test leaves behind reaches no other test: it is told, it fails the test that left it, and it is put right.

Looked for: processes (also those of a process that has ended), threads, open files and sockets; the working directory,
the environment, the umask, signal handlers, ``sys.path``, and modules put in place of others. What fixtures of modules
and sessions make belongs to them, until they end.
"""

import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coursekit.marking import marker
from coursekit.reference.process import ReferenceProcess
from coursekit.sandbox.client import Sandbox
from coursekit.system.deadline import Deadline

_SUBREAPER = 36
_GOES_S = 2.0  # what a killed process has started is gone a moment later
_KEPT = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # Python's own, for the whole process
_WATCHED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGPROF", "SIGVTALRM", "SIGCHLD", "SIGPIPE")
_NUMBERS = [getattr(signal, name) for name in _WATCHED if hasattr(signal, name)]
_CHANGES_BY_ITSELF = ("PYTEST_CURRENT_TEST",)
# Libraries keep files of theirs open, such as fonts, and add folders of theirs to sys.path.
_PACKAGES = str(Path(pytest.__file__).parents[1])
_owned: dict[str, set["Resource"]] = defaultdict(set)  # by the scope of the fixture
Lazy = Sandbox | ReferenceProcess  # they start when they are first needed
_made: "weakref.WeakSet[Lazy]" = weakref.WeakSet()
_of_fixtures: "weakref.WeakSet[Lazy]" = weakref.WeakSet()

Resource = tuple[str, int, str]  # kind, number, and what tells it from a later one of that number


def pytest_configure() -> None:
    """A process whose parent has ended becomes a child of this one, where it is found; what starts later is known."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop()  # nbclient makes it when it runs the first notebook, and keeps it for all others
    for kind in (Sandbox, ReferenceProcess):
        _remember(kind)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _remember(kind: Any) -> None:
    made = kind.__init__

    def remembered(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        _made.add(self)

    kind.__init__ = remembered


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
    """What a fixture makes that lives longer than a test belongs to it."""
    if fixturedef.scope == "function":
        return (yield)
    with of_a_fixture(fixturedef.scope):
        return (yield)


@contextlib.contextmanager
def of_a_fixture(scope: str = "module") -> Iterator[None]:
    """What this block makes belongs to a fixture of that scope, which ends it; a test only asked for it."""
    before, made = resources(), set(_made)
    try:
        yield
    finally:
        _owned[scope] |= resources() - before
        _of_fixtures.update(set(_made) - made)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    before, markers, made = State.now(), set(marker._shared), [*_made]
    yield
    if set(marker._shared) != markers:  # kept for the next submission, of the same course
        marker._close_all()
    fixtures = set().union(*_owned.values()) | _of_lazy({*made, *_of_fixtures})
    left = before.put_right() + _remove(before.resources | fixtures)
    if left:
        pytest.fail("this test leaves behind: " + "; ".join(left), pytrace=False)


@pytest.fixture(autouse=True, scope="module")
def nothing_left_by_a_module() -> Iterator[None]:
    before = resources()
    yield
    marker._close_all()
    if left := _remove(before | _owned["session"] | _owned["package"]):
        pytest.fail("the fixtures of this module leave behind: " + "; ".join(left), pytrace=False)


@dataclass(frozen=True)
class State:
    """What a test may change for the time that it runs."""

    folder: str
    environment: dict[str, str]
    umask: int
    handlers: dict[int, Any]
    path: list[str]
    modules: dict[str, Any]
    resources: set[Resource]

    @classmethod
    def now(cls) -> "State":
        os.umask(umask := os.umask(0o22))
        environment = {name: value for name, value in os.environ.items() if name not in _CHANGES_BY_ITSELF}
        handlers = {number: signal.getsignal(number) for number in _NUMBERS}
        return cls(os.getcwd(), environment, umask, handlers, list(sys.path), dict(sys.modules), resources())  # noqa: PTH109

    def put_right(self) -> list[str]:
        """All is as it was; in words, what was not."""
        left = []
        try:
            moved = os.getcwd() != self.folder  # noqa: PTH109
        except OSError:
            moved = True
        if moved:
            left.append("another working directory")
            os.chdir(self.folder)
        environment = {name: value for name, value in os.environ.items() if name not in _CHANGES_BY_ITSELF}
        if environment != self.environment:
            names = {name for name, _ in environment.items() ^ self.environment.items()}
            left.append(f"other environment variables: {', '.join(sorted(names))}")
            for name in names:
                os.environ.pop(name, None)
            os.environ.update({name: value for name, value in self.environment.items() if name in names})
        if (umask := os.umask(self.umask)) != self.umask:
            left.append(f"the umask {umask:o}")
        for number, handler in self.handlers.items():
            if signal.getsignal(number) != handler:
                left.append(f"another handler of {signal.Signals(number).name}")
                signal.signal(number, handler)
        if [entry for entry in sys.path if entry in self.path or not entry.startswith(_PACKAGES)] != self.path:
            differs = set(sys.path) ^ set(self.path)
            left.append(f"another sys.path: {', '.join(sorted(differs)) or 'its order'}")
            sys.path[:] = self.path
        changed = [name for name, module in self.modules.items() if sys.modules.get(name) is not module]
        if changed:
            left.append(f"other modules in sys.modules: {', '.join(sorted(changed)[:5])}")
            sys.modules.update({name: self.modules[name] for name in changed})
        return left


def resources() -> set[Resource]:
    """The processes, threads and open files that there are; on Linux."""
    found: set[Resource] = {
        ("thread", one.ident or 0, one.name) for one in threading.enumerate() if not _is_ours(one.name)
    }
    if sys.platform == "linux":
        found |= set(_files()) | set(_processes())
    return found


def _is_ours(name: str) -> bool:
    """Threads of pytest, and one that Dask starts once and keeps for all its clients."""
    return name in ("MainThread", "watch for hangs") or name.startswith(("Dummy", "execnet", "Dask-Callback"))


def _of_lazy(made: Iterable[Lazy]) -> set[Resource]:
    """What belongs to servers that a test has not made, but may have started, or started anew."""
    found: set[Resource] = set()
    for one in made:
        if isinstance(one, ReferenceProcess):
            process = one._process
            files = [one._log, process and process.stdin, process and process.stdout]
        elif (server := one._server) is not None:
            process, files = server._process, [server._log, server.control]
        else:
            continue
        descriptors = {file.fileno() for file in files if file}
        found |= {resource for resource in _files() if resource[1] in descriptors}
        found |= {resource for resource in _processes() if process and resource[1] == process.pid}
    return found


def _files() -> Iterator[Resource]:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - for every test
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
            if not target.startswith(("/proc/", "anon_inode:[pidfd]", _PACKAGES)):
                yield "open file", int(name), target


def _processes() -> Iterator[Resource]:
    for task in os.listdir("/proc/self/task"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            for pid in Path(f"/proc/self/task/{task}/children").read_bytes().split():
                with contextlib.suppress(OSError):
                    yield "process", int(pid), _born(int(pid))


def _born(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]


def _remove(allowed: set[Resource]) -> list[str]:
    """Nothing is left but what is allowed; in words, what was there."""
    if not _left(allowed):
        return []
    gc.collect()
    until = Deadline(_GOES_S)
    pause = threading.Event()
    while (left := _left(allowed)) and until.left_s() > 0:
        pause.wait(0.02)
    words = []
    for kind, number, what in sorted(left):
        words.append(f"{kind} {number}: {_command(number) if kind == 'process' else what}")
        if kind == "process":
            _end(number)
    _owned["session"] |= _left(allowed)  # a file or a thread cannot be taken from its owner: it is told once
    return words


def _left(allowed: set[Resource]) -> set[Resource]:
    left = resources() - allowed
    for kind, number, _ in list(left):
        if kind == "process" and _state(number) in "ZX":  # an orphan that has ended: nobody else will ask for it
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)
            left = {one for one in left if one[:2] != (kind, number)}
    return {one for one in left if not _is_kept(one)}


def _is_kept(one: Resource) -> bool:
    """Python's own tracker of resources, and its pipe."""
    from multiprocessing import resource_tracker

    kind, number, _ = one
    if kind == "open file":
        return number == getattr(resource_tracker._resource_tracker, "_fd", None)
    return kind == "process" and any(name in _command(number) for name in _KEPT)


def _state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    return "X"


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")[:200]
    return ""


def _end(pid: int) -> None:
    """A child of ours is gone."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

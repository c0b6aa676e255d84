"""The engine's side of a reference process: sends requests and receives data."""

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Self

from coursekit import CHECKOUT
from coursekit.model.errors import CourseError, one_line
from coursekit.system.deadline import Deadline, readable

_LOG_TAIL_BYTES = 4096  # read from the standard error of a process that has ended


class ReferenceProcess:
    """A process that runs the code of one assignment. A context manager.

    It starts with the first request. If it has ended, a request raises CourseError, and the next one starts a new
    process.
    """

    def __init__(self, root: Path, assignment: str) -> None:
        self._root, self._assignment = root, assignment
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """End the process from another thread: a waiting request gets CourseError, and so does every later one."""
        self._stopped = True
        if (process := self._process) is not None:
            process.kill()

    def ask(self, request: str, deadline: Deadline | None = None, /, **given: Any) -> Any:
        """The answer to a request of ``reference.__main__``.

        Raises CourseError if the course's code fails, and if it does not answer before the ``deadline``.
        """
        self.send(request, **given)
        return self.answer(deadline)

    def send(self, request: str, **given: Any) -> None:
        """Send a request; ``answer`` waits for its answer. Never raises: if the process has ended, ``answer`` does."""
        process = self._started()
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.write(json.dumps({"question": request, **given}).encode() + b"\n")
            process.stdin.flush()

    def answer(self, deadline: Deadline | None = None) -> Any:
        """The answer to the request that was sent; errors as in ``ask``."""
        process = self._started()
        assert process.stdout is not None
        if deadline is not None and not readable(process.stdout, deadline):
            self.close()
            raise CourseError(f"source/{self._assignment}", "its code takes too long", "look for a loop without an end")
        try:
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise self._ended()
        try:
            answer: Mapping[str, Any] = json.loads(line)
            refused, answered = answer.get("refused"), answer.get("answer")
        except (ValueError, AttributeError):  # the course's code has written to the answers' descriptor
            self.close()
            found = f"its code writes where the answers are written ({one_line(line.decode('utf-8', 'replace'))[:80]})"
            raise CourseError(f"source/{self._assignment}", found, "let it use print") from None
        if refused is not None:
            raise CourseError(*refused)
        return answered

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.kill()
            process.wait()
            with suppress(OSError):  # it may hold an unread request
                process.stdin.close()
            process.stdout.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
            search = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(
                # -P: a module in the working directory must not replace one that Python itself needs
                [sys.executable, "-P", "-m", "coursekit.reference", str(self._root), self._assignment],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
                start_new_session=True,  # Ctrl+C goes to the engine only, which then ends the process
            )
        if self._stopped:
            self._process.kill()
        return self._process

    def _ended(self) -> CourseError:
        assert self._log is not None
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_TAIL_BYTES))
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        found = f"the process that runs its code has ended ({one_line(lines[-1]) if lines else 'it says nothing'})"
        return CourseError(f"source/{self._assignment}", found, "run the solutions in the notebook to see why")


class ReferencePool:
    """Several reference processes of one assignment in parallel. A context manager."""

    def __init__(self, root: Path, assignment: str, jobs: int) -> None:
        self._idle: queue.SimpleQueue[ReferenceProcess] = queue.SimpleQueue()
        self._open = ExitStack()
        self._threads = self._open.enter_context(ThreadPoolExecutor(jobs))
        self._all = [self._open.enter_context(ReferenceProcess(root, assignment)) for _ in range(jobs)]
        for one in self._all:
            self._idle.put(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for one in self._all:  # Ctrl+C waits for no answer
            one.stop()
        self._open.close()

    def ask(self, request: str, each: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The answers to one request with each of these arguments, in their order."""

        def one(given: Mapping[str, Any]) -> Any:
            reference = self._idle.get()
            try:
                return reference.ask(request, **given)
            finally:
                self._idle.put(reference)

        return list(self._threads.map(one, each))

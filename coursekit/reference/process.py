"""The engine's end of a reference process: questions go out, data comes back."""

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

_LAST_WORDS = 4096  # bytes of what a process has written before it ended


class Reference:
    """A process that runs the code of one assignment. A context manager.

    It starts with the first question. A process that has ended raises CourseError, and the next question starts
    another one.
    """

    def __init__(self, root: Path, assignment: str) -> None:
        self._root, self._assignment = root, assignment
        self._process: subprocess.Popen[bytes] | None = None
        self._written: IO[bytes] | None = None
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """Whoever waits for an answer in another thread gets CourseError; no later question is answered either."""
        self._stopped = True
        if (process := self._process) is not None:
            process.kill()

    def ask(self, question: str, **given: Any) -> Any:
        """The answer to a question of ``reference.__main__``. Raises CourseError where the course's code fails."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"question": question, **given}).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise self._ended()
        try:
            answer: Mapping[str, Any] = json.loads(line)
            refused, answered = answer.get("refused"), answer.get("answer")
        except (ValueError, AttributeError):  # the course's code has written among the answers
            self.close()
            found = f"its code writes where the answers are written ({one_line(line.decode('utf-8', 'replace'))[:80]})"
            raise CourseError(f"source/{self._assignment}", found, "let it print in place of that") from None
        if refused is not None:
            raise CourseError(*refused)
        return answered

    def close(self) -> None:
        """The process has ended."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.kill()
            process.wait()
            with suppress(OSError):  # it may hold a question that nobody has read
                process.stdin.close()
            process.stdout.close()
        if self._written is not None:
            self._written.close()
            self._written = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._written = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
            search = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(
                # -P: a module of the course in the working directory replaces none that Python itself needs
                [sys.executable, "-P", "-m", "coursekit.reference", str(self._root), self._assignment],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._written,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
                start_new_session=True,  # Ctrl+C is for the engine, which then ends the process
            )
        if self._stopped:
            self._process.kill()
        return self._process

    def _ended(self) -> CourseError:
        assert self._written is not None
        size = self._written.seek(0, os.SEEK_END)
        self._written.seek(max(0, size - _LAST_WORDS))
        lines = self._written.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        found = f"the process that runs its code has ended ({one_line(lines[-1]) if lines else 'it says nothing'})"
        return CourseError(f"source/{self._assignment}", found, "run the solutions in the notebook to see why")


class Pool:
    """Reference processes of one assignment side by side. A context manager."""

    def __init__(self, root: Path, assignment: str, jobs: int) -> None:
        self._idle: queue.SimpleQueue[Reference] = queue.SimpleQueue()
        self._open = ExitStack()
        self._threads = self._open.enter_context(ThreadPoolExecutor(jobs))
        self._all = [self._open.enter_context(Reference(root, assignment)) for _ in range(jobs)]
        for one in self._all:
            self._idle.put(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for one in self._all:  # Ctrl+C waits for no answer
            one.stop()
        self._open.close()

    def ask(self, question: str, each: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The answers to the same question with each of these arguments, in their order."""

        def one(given: Mapping[str, Any]) -> Any:
            reference = self._idle.get()
            try:
                return reference.ask(question, **given)
            finally:
                self._idle.put(reference)

        return list(self._threads.map(one, each))

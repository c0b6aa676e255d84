"""The process in which a notebook runs: a child of the sandbox, and another one where that was lost."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from coursekit.sandbox.client import Child, Sandbox
from coursekit.sandbox.reply import Reply
from coursekit.sandbox.timeouts import POLL_INTERVAL_S, SubmissionBudget

# How the fork server, and those who wait for it, say what may have come from outside, such as a full memory.
_KILLED = ("signal 9 (SIGKILL)", "the sandbox has ended")


class NotebookProcess:
    """At most one child at a time, with the student's own files beside it.

    ``fatal``: the steps that a child did not outlive, with why in words. ``kills``: those in which it was killed,
    perhaps from outside.
    """

    def __init__(self, sandbox: Sandbox, files: Mapping[str, bytes], budget: SubmissionBudget) -> None:
        self._sandbox, self._files, self._budget = sandbox, files, budget
        self.fatal: dict[str, str] = {}
        self.kills: list[str] = []
        self._child: Child | None = None
        self._born = 0.0
        self._open = ExitStack()

    @property
    def runs(self) -> bool:
        """Whether there is a child."""
        return self._child is not None

    def begin(self) -> float:
        """There is a new child. Returns how many seconds it took to make it."""
        began = time.monotonic()
        self._child = self._open.enter_context(self._sandbox.child(self._files))
        self._born = time.monotonic()
        return self._born - began

    def ask(self, request: Mapping[str, Any], timeout_s: float) -> Reply:
        """The child's reply; "lost" where it did not outlive the request."""
        assert self._child is not None
        return self._child.ask(request, timeout_s)

    def cpu_steal_s(self) -> float:
        """How much of its life the child has waited for a processor that other programs used; 0 without a child."""
        return 0.0 if self._child is None else self._child.cpu_steal_s()

    def lose(self, step: str, why: str) -> None:
        """The child did not outlive this step, and is given up."""
        self.fatal[step] = why
        if any(words in why for words in _KILLED):
            self.kills.append(f"{step}: {why}")
        self.leave()

    def leave(self) -> None:
        """There is no child any more. What other programs had of its life is given back to the submission."""
        if self._child is not None and time.monotonic() - self._born > POLL_INTERVAL_S:
            self._budget.extend(self._child.cpu_steal_s())
        self._open.close()
        self._child = None

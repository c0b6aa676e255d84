"""The process in which a notebook runs: a child of the sandbox, replaced by another one if it is lost."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from coursekit.sandbox.client import Child, Sandbox
from coursekit.sandbox.reply import Reply
from coursekit.sandbox.request import Helper
from coursekit.sandbox.timeouts import POLL_INTERVAL_S, SubmissionBudget

# Texts in the exit reasons that may have an external cause, such as memory that ran out on the whole computer.
_KILLED = ("signal 9 (SIGKILL)", "the sandbox has ended")


class NotebookProcess:
    """At most one child at a time, with the student files in its folder.

    ``fatal`` has the steps in which a child ended, each with the reason. ``kills`` lists those in which it was killed,
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
        """Fork a new child; returns how many seconds that took."""
        began = time.monotonic()
        self._child = self._open.enter_context(self._sandbox.child(self._files))
        self._born = time.monotonic()
        return self._born - began

    def ask(self, request: Mapping[str, Any], timeout_s: float, helper: Helper | None = None) -> Reply:
        """The child's reply; its ``end`` is "lost" if the child ended during the request."""
        assert self._child is not None
        return self._child.ask(request, timeout_s, helper=helper)

    def cpu_steal_s(self) -> float:
        """CPU steal time of the child since it began; 0 without a child."""
        return 0.0 if self._child is None else self._child.cpu_steal_s()

    def lose(self, step: str, why: str) -> None:
        """Give up the child, which ended in this step."""
        self.fatal[step] = why
        if any(words in why for words in _KILLED):
            self.kills.append(f"{step}: {why}")
        self.leave()

    def leave(self) -> None:
        """End the child, and extend the submission's budget by its CPU steal time."""
        if self._child is not None and time.monotonic() - self._born > POLL_INTERVAL_S:
            self._budget.extend(self._child.cpu_steal_s())
        self._open.close()
        self._child = None

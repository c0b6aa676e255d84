"""Answers the calls of a follow-through retry's stand-ins: a reference process calls the right functions.

The reference process gets arguments from a student's process, as data. It is used for nothing else, has bounded memory,
and is ended when an answer takes too long.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.reference.process import ReferenceProcess
from coursekit.sandbox.guest import helpers
from coursekit.system.deadline import Deadline

# For one retry of one exercise. The bundled assignments need up to 2,000 calls, and 0.3 s for all of them.
MAX_CALLS, MAX_BYTES = 20_000, 64 << 20
MAX_CALLS_OF_A_CASE = 150  # by the solution, in a recorded case
MAX_WAIT_S = 20.0  # for all answers together; it is extended while the computer is busy


class HelperDesk:
    """The reference process that answers, kept for the next retry. It starts with the first call."""

    def __init__(self, root: Path, assignment: str) -> None:
        self._reference = ReferenceProcess(root, assignment)
        self._known: frozenset[str] | None = None  # the functions that it answers for; None while it does not run

    def retry(self, functions: tuple[str, ...]) -> "HelperCalls":
        """Answers for one retry, which may call these functions only."""
        return HelperCalls(self, frozenset(functions))

    def affordable(self, function: str, names: tuple[str, ...]) -> frozenset[str]:
        """The recorded cases of a function in which it calls these helpers so rarely that a retry can have them."""
        return frozenset(self._reference.ask("affordable", function=function, names=names, limit=MAX_CALLS_OF_A_CASE))

    def ask(self, name: str, call: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """The result of a right function. Raises CourseError if there is no answer before the deadline."""
        if self._known is None:
            self._known = frozenset(self._reference.ask("confine"))
        if name not in self._known:
            return {"why": f"there is no solution of {name}"}
        given = {key: call.get(key) for key in ("args", "kwargs", "states")}
        try:
            answer: dict[str, Any] = self._reference.ask("call", deadline, function=name, **given)
        except CourseError:
            self._known = None
            raise
        return answer

    def close(self) -> None:
        """End the reference process."""
        self._known = None
        self._reference.close()


class HelperCalls:
    """Answers the calls of one retry, within its bounds. ``calls`` is how many there were."""

    def __init__(self, desk: HelperDesk, functions: frozenset[str]) -> None:
        self._desk, self._functions = desk, functions
        self.calls = self._bytes = 0
        self._deadline = Deadline(MAX_WAIT_S)

    def answer(self, call: Mapping[str, Any], size: int) -> dict[str, Any]:
        """The answer to a message of ``size`` bytes from a student's process. Never raises."""
        self.calls += 1
        self._bytes += size
        return {helpers.ANSWER: call.get("number"), **self._result(call)}

    def _result(self, call: Mapping[str, Any]) -> dict[str, Any]:
        name = call.get(helpers.CALL)
        if not isinstance(name, str) or name not in self._functions:
            return {"why": "this function is no helper"}
        if self.calls > MAX_CALLS or self._bytes > MAX_BYTES or self._deadline.left_s() <= 0:
            return {"why": "there were too many calls"}
        with suppress(CourseError):
            return self._desk.ask(name, call, self._deadline)
        return {"why": "it took too long, or too much memory"}

"""The twins of a run. A reference process draws them while the cells run; a check has to pass on them as well."""

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.model.exercise import Check, Exercise, Twin
from coursekit.reference.process import ReferenceProcess
from coursekit.sandbox.guest import codec

MORE = 2  # twins that decide where one contradicts a recorded case


def new_nonce() -> str:
    """A random number that decides the twins of one run; stored with the mark, so that the run can be repeated."""
    return secrets.token_hex(8)


class TwinSource:
    """Draws the twins of one assignment, in a reference process of its own, which starts with the first run."""

    def __init__(self, root: Path, assignment: str) -> None:
        self._reference = ReferenceProcess(root, assignment)
        self._begun = False

    def begin(self, nonce: str) -> None:
        """Begin to draw the twins of a run. ``drawn`` waits for them."""
        with suppress(CourseError):
            self.drawn()  # what was begun for a run that was given up
        self._reference.send("twins", nonce=nonce)
        self._begun = True

    def drawn(self) -> dict[str, tuple[Twin, ...]]:
        """The twins that were begun, by function; none if none were. Raises CourseError if the course's code fails."""
        if not self._begun:
            return {}
        self._begun = False
        return by_function(self._reference.answer())

    def more(self, nonce: str, exercise: Exercise, twins: Iterable[Twin]) -> tuple[Twin, ...]:
        """``MORE`` other twins for each of these."""
        names = [twin.of for twin in twins for _ in range(MORE)]
        answer = self._reference.ask("twins", nonce=f"{nonce}/more", more={exercise.function: names})
        return by_function(answer)[exercise.function]

    def close(self) -> None:
        """End the reference process."""
        self._reference.close()


def by_function(answer: Mapping[str, list[dict[str, Any]]]) -> dict[str, tuple[Twin, ...]]:
    """The twins in an answer of ``reference.twins.draw``, by function."""
    return {
        function: tuple(
            Twin(
                f"twin {number}",
                one["of"],
                one["raises"],
                tuple(one["arguments"]),
                {path: codec.decode(leaf, _no_function) for path, leaf in one["expected"].items()},
            )
            for number, one in enumerate(twins, start=1)
        )
        for function, twins in answer.items()
    }


def _no_function(module: str, name: str) -> Any:
    raise ValueError(f"{module}.{name} is no output")


def of_check(check: Check, twins: Iterable[Twin]) -> tuple[Twin, ...]:
    """The twins that a check has to pass."""
    return () if check.untouched else tuple(twin for twin in twins if check.covers(twin.of))

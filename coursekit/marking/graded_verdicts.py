"""Verdicts read back from the metadata of an autograded notebook, as typed values for pages and reports.

The grader wrote them (``verdicts.as_data``), but they quote the student, and a file can be changed: a malformed value
becomes an empty one, and every text in here is untrusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coursekit.marking.verdicts import METADATA, VERSION, CheckResult, NamedMistake

MAX_CHARS = 4_000  # of each text
_MAX_NUMBER = 1e12  # no mark is larger, and no float can hold every integer of JSON


@dataclass(frozen=True)
class GradedExercise:
    """The verdict on one exercise; the fields are those of ``verdicts.as_data``."""

    grade_id: str
    function: str
    number: int | None = None
    points: float = 0.0
    earned: float = 0.0
    checks: tuple[CheckResult, ...] = ()
    summary: str = ""
    mistake: NamedMistake | None = None
    follows: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    look: str = ""


@dataclass(frozen=True)
class GradedVerdicts:
    """The verdicts of one submission. ``current``: whether they have the version that this engine writes."""

    current: bool
    exercises: tuple[GradedExercise, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


def of_notebook(metadata: Any) -> GradedVerdicts:
    """The verdicts in a notebook's metadata. Never raises."""
    return of_data(_dict(metadata).get(METADATA))


def of_data(data: Any) -> GradedVerdicts:
    """The verdicts from the data of ``verdicts.as_data``. Never raises."""
    data = _dict(data)
    exercises = tuple(_exercise(entry) for entry in _list(data, "exercises") if isinstance(entry, dict))
    return GradedVerdicts(data.get("version") == VERSION, exercises, texts(data, "notes"), text(data, "problem"))


def text(values: Any, key: str) -> str:
    """The text under a key, truncated to ``MAX_CHARS``; "" for anything else."""
    found = _dict(values).get(key)
    return found[:MAX_CHARS] if isinstance(found, str) else ""


def texts(values: Any, key: str) -> tuple[str, ...]:
    """The texts in the list under a key, each truncated to ``MAX_CHARS``."""
    return tuple(entry[:MAX_CHARS] for entry in _list(values, key) if isinstance(entry, str))


def number(values: Any, key: str) -> float:
    """The number under a key; 0 for anything else."""
    found = _dict(values).get(key)
    return float(found) if isinstance(found, int | float) and abs(found) < _MAX_NUMBER else 0.0


def _exercise(entry: Mapping[str, Any]) -> GradedExercise:
    mistake = _dict(entry.get("mistake"))
    counted = entry.get("number")
    return GradedExercise(
        grade_id=text(entry, "grade_id"),
        function=text(entry, "function"),
        number=counted if type(counted) is int and 0 < counted < 1000 else None,
        points=number(entry, "points"),
        earned=number(entry, "earned"),
        checks=tuple(_check(check) for check in _list(entry, "checks") if isinstance(check, dict)),
        summary=text(entry, "summary"),
        mistake=NamedMistake(text(mistake, "name"), text(mistake, "hint")) if mistake else None,
        follows=texts(entry, "follows"),
        calls=texts(entry, "calls"),
        look=text(entry, "look"),
    )


def _check(entry: Mapping[str, Any]) -> CheckResult:
    name, reason, where = (text(entry, key) for key in ("name", "reason", "where"))
    return CheckResult(name, number(entry, "points"), entry.get("passed") is True, reason, where)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(values: Any, key: str) -> list[Any]:
    found = _dict(values).get(key)
    return list(found) if isinstance(found, list | tuple) else []

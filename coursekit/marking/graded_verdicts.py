"""The verdicts on one submission: a value for gradebook, pages and reports, and its form in an autograded notebook.

The grader writes them into the notebook's metadata, where pages and reports find them. They quote the student, and a
file can be changed: when they are read back, a malformed value becomes an empty one, and every text is untrusted.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from coursekit.marking.verdicts import RECORDED_ONLY, CheckResult, NamedMistake, Verdict

METADATA, VERSION = "coursekit", 1  # the metadata key in an autograded notebook, and the format's version
MAX_CHARS = 4_000  # of each text that is read back
_MAX_NUMBER = 1e12  # no mark is larger, and no float can hold every integer of JSON


@dataclass(frozen=True)
class GradedExercise:
    """The verdict on one exercise: the marks, the result of each check, and what a reader is told."""

    grade_id: str
    function: str
    number: int | None = None
    points: float = 0.0
    earned: float = 0.0
    checks: tuple[CheckResult, ...] = ()
    summary: str = ""
    mistakes: tuple[NamedMistake, ...] = ()
    follows: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    look: str = ""

    @property
    def contradicted(self) -> bool:
        """Whether twins contradict recorded cases that are right, so that a check is lost by twins alone."""
        return any(check.reason == RECORDED_ONLY for check in self.checks)


@dataclass(frozen=True)
class WrittenAnswer:
    """A cell that a person grades; ``answered``: there is something to read."""

    grade_id: str
    points: float
    answered: bool


@dataclass(frozen=True)
class GradedVerdicts:
    """The verdicts on one submission.

    notes      what was repaired or left out, one sentence each
    problem    why there was nothing to grade
    answers    the hash of each answer by its ``grade_id`` (``answer_hashes.digests``)
    current    whether they have the version that this engine writes
    nonces     the nonces of the runs that decided: their twins can be drawn again. Equal verdicts may have others.
    """

    assignment: str = ""
    exercises: tuple[GradedExercise, ...] = ()
    written: tuple[WrittenAnswer, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    current: bool = True
    nonces: tuple[str, ...] = field(default=(), compare=False)

    @property
    def automatic(self) -> dict[str, float | None]:
        """The grader's mark by the name of the graded cell; None if a person has to read an answer."""
        marks: dict[str, float | None] = {f"{one.grade_id}-test": float(one.earned) for one in self.exercises}
        return marks | {one.grade_id: None if one.answered else 0.0 for one in self.written}


def of_verdict(verdict: Verdict) -> GradedExercise:
    """What gradebook, pages and reports need of a verdict."""
    row = verdict.exercise
    return GradedExercise(
        grade_id=row.grade_id,
        function=row.function,
        number=row.number,
        points=row.points,
        earned=verdict.earned,
        checks=verdict.results,
        summary=verdict.reason,
        mistakes=verdict.mistakes,
        follows=verdict.follows,
        calls=verdict.calls,
        look=row.look,
    )


def to_data(verdicts: GradedVerdicts) -> dict[str, Any]:
    """The verdicts as JSON, for the notebook's metadata and for another process."""
    return {
        "version": VERSION,
        "assignment": verdicts.assignment,
        "notes": list(verdicts.notes),
        "problem": verdicts.problem,
        "exercises": [_exercise_data(one) for one in verdicts.exercises],
        "written": [asdict(one) for one in verdicts.written],
        "answers": dict(verdicts.answers),
        "nonces": list(verdicts.nonces),
    }


def _exercise_data(one: GradedExercise) -> dict[str, Any]:
    return {
        "number": one.number,
        "function": one.function,
        "grade_id": one.grade_id,
        "points": one.points,
        "earned": one.earned,
        "checks": [asdict(check) for check in one.checks],
        "summary": one.summary,
        "mistakes": [asdict(mistake) for mistake in one.mistakes],
        "follows": list(one.follows),
        "calls": list(one.calls),
        "look": one.look,
    }


def of_notebook(metadata: Any) -> GradedVerdicts:
    """The verdicts in a notebook's metadata. Never raises."""
    return of_data(_dict(metadata).get(METADATA))


def of_data(data: Any, max_chars: int | None = MAX_CHARS) -> GradedVerdicts:
    """The verdicts from the data of ``to_data``, each text truncated to ``max_chars``. Never raises."""
    return _Reader(max_chars).verdicts(_dict(data))


def number(values: Any, key: str) -> float:
    """The number under a key; 0 for anything else."""
    found = _dict(values).get(key)
    return float(found) if isinstance(found, int | float) and abs(found) < _MAX_NUMBER else 0.0


@dataclass(frozen=True)
class _Reader:
    max_chars: int | None

    def verdicts(self, data: Mapping[str, Any]) -> GradedVerdicts:
        return GradedVerdicts(
            assignment=self._text(data, "assignment"),
            exercises=tuple(self._exercise(entry) for entry in _dicts(data, "exercises")),
            written=tuple(self._written(entry) for entry in _dicts(data, "written")),
            notes=self._texts(data, "notes"),
            problem=self._text(data, "problem"),
            answers={name: self._text(data.get("answers"), name) for name in _dict(data.get("answers"))},
            current=data.get("version") == VERSION,
            nonces=self._texts(data, "nonces"),
        )

    def _exercise(self, entry: Mapping[str, Any]) -> GradedExercise:
        mistakes = _dicts(entry, "mistakes") or [*filter(None, [_dict(entry.get("mistake"))])]  # one, in older files
        counted = entry.get("number")
        return GradedExercise(
            grade_id=self._text(entry, "grade_id"),
            function=self._text(entry, "function"),
            number=counted if type(counted) is int and 0 < counted < 1000 else None,
            points=number(entry, "points"),
            earned=number(entry, "earned"),
            checks=tuple(self._check(check) for check in _dicts(entry, "checks")),
            summary=self._text(entry, "summary"),
            mistakes=tuple(NamedMistake(self._text(one, "name"), self._text(one, "hint")) for one in mistakes),
            follows=self._texts(entry, "follows"),
            calls=self._texts(entry, "calls"),
            look=self._text(entry, "look"),
        )

    def _written(self, entry: Mapping[str, Any]) -> WrittenAnswer:
        return WrittenAnswer(self._text(entry, "grade_id"), number(entry, "points"), entry.get("answered") is True)

    def _check(self, entry: Mapping[str, Any]) -> CheckResult:
        name, reason, where = (self._text(entry, key) for key in ("name", "reason", "where"))
        return CheckResult(name, number(entry, "points"), entry.get("passed") is True, reason, where)

    def _text(self, values: Any, key: str) -> str:
        """The text under a key, truncated; "" for anything else."""
        found = _dict(values).get(key)
        return found[: self.max_chars] if isinstance(found, str) else ""

    def _texts(self, values: Any, key: str) -> tuple[str, ...]:
        """The texts in the list under a key, each truncated."""
        return tuple(entry[: self.max_chars] for entry in _list(values, key) if isinstance(entry, str))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(values: Any, key: str) -> list[dict[str, Any]]:
    return [entry for entry in _list(values, key) if isinstance(entry, dict)]


def _list(values: Any, key: str) -> list[Any]:
    found = _dict(values).get(key)
    return list(found) if isinstance(found, list | tuple) else []

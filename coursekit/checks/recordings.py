"""Recordings: every case with the numbers that the solutions return now, and every mistake with what it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coursekit import recording, wrong_answers
from coursekit.checks.findings import Finding, Source
from coursekit.course import Course
from hidden_tests import TABLE


@dataclass(frozen=True)
class _Only(Course):
    """The course as if it had one assignment, so that a broken one is no hindrance to the others."""

    name: str

    def assignments(self) -> tuple[str, ...]:
        return (self.name,)


def check(course: Course, sources: list[Source]) -> list[Finding]:
    """Findings X6xx; cases of an assignment whose solutions cannot be run are not compared.

    What the mistakes give is looked at in assignments whose expected outputs are fresh; else it would be other, too.
    """
    findings: list[Finding] = []
    fresh: tuple[dict[str, recording.Outputs], ...] = ({}, {})
    broken = {row.assignment for row in TABLE.values()} - {source.assignment for source in sources}
    for source in sources:
        try:
            made = recording.make(_Only(course.root, source.assignment))
        except Exception as error:  # an author's code may raise anything
            what = f"the solutions cannot be run ({type(error).__name__}: {error})"[:300]
            findings.append(Finding("X602", source.where, what, "mend the solutions or the cases"))
            broken.add(source.assignment)
            continue
        for all_of_them, some_of_them in zip(fresh, made, strict=True):
            all_of_them.update(some_of_them)
    for name, outputs in zip(recording.FILES, fresh, strict=True):
        path = course.root / name
        findings += _findings(path, partial(recording.differences, path, outputs), broken)
    if findings:
        return findings
    return _mistakes(course, [source for source in sources if source.assignment not in broken], fresh[0] | fresh[1])


def _mistakes(course: Course, sources: list[Source], expected: dict[str, recording.Outputs]) -> list[Finding]:
    findings = []
    fresh: tuple[recording.Mistakes, ...] = ({}, {})
    for source in sources:
        for said in wrong_answers.misfits(course, source.assignment):
            where, _, what = said.partition(": ")
            findings.append(Finding("X601", where, *what.split("; ", 1)))
        made = recording.make_mistakes(_Only(course.root, source.assignment), expected)
        for all_of_them, some_of_them in zip(fresh, made, strict=True):
            all_of_them.update(some_of_them)
    others = {row.assignment for row in TABLE.values()} - {source.assignment for source in sources}
    for name, known in zip(recording.MISTAKE_FILES, fresh, strict=True):
        path = course.root / name
        findings += _findings(path, partial(recording.mistake_differences, path, known), others)
    return findings


def _findings(path: Path, differences: Callable[[], list[str]], not_looked_at: set[str]) -> list[Finding]:
    try:
        found = differences()
    except Exception as error:  # h5py raises a different type for every kind of damage
        what = f"not a readable recording ({type(error).__name__}: {error})"[:300]
        return [Finding("X601", path.name, what, "delete the file and run `./course record`")]
    findings = []
    for difference in found:
        case, colon, what = difference.partition(": ")
        where = f"{path.name}[{case}]" if colon else path.name
        if case.partition("/")[0] not in not_looked_at:
            findings.append(
                Finding("X601", where, what or difference, "run `./course record`, and see what it changes")
            )
    return findings

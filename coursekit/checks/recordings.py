"""Expected outputs: every case recorded, with the numbers that the solutions return now."""

from dataclasses import dataclass
from pathlib import Path

from coursekit import recording
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
    """Findings X6xx; cases of an assignment whose solutions cannot be run are not compared."""
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
        findings += _compare(course.root / name, outputs, broken)
    return findings


def _compare(path: Path, outputs: dict[str, recording.Outputs], broken: set[str]) -> list[Finding]:
    try:
        differences = recording.differences(path, outputs)
    except Exception as error:  # h5py raises a different type for every kind of damage
        what = f"not a readable recording ({type(error).__name__}: {error})"[:300]
        return [Finding("X601", path.name, what, "delete the file and run `./course record`")]
    findings = []
    for difference in differences:
        case, colon, what = difference.partition(": ")
        where = f"{path.name}[{case}]" if colon else path.name
        if case.partition("/")[0] not in broken:
            findings.append(
                Finding("X601", where, what or difference, "run `./course record`, and see what it changes")
            )
    return findings

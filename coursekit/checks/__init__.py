"""Proof that notebooks, docs, releases, recordings and the grader agree: ``coursekit check``.

    form         notebooks in canonical form (``fix`` writes it)       N1xx
    markers      solution regions, hints, hidden tests                 M2xx
    exercises    cells against the table of exercises                  E3xx
    experiments  tags of cells that are not run at grading             E3xx
    docs         links, names of files and commands (markdown reads)   D4xx
    released     the release is fresh and gives nothing away           R5xx
    recordings   expected outputs are what the solutions return        X6xx
    gates        marks, mistakes, right answers, mutants: figures      G7xx

Every code has its line in ``findings.CODES``. A check returns findings and never raises for what it checks:
a broken notebook is one finding, and the other notebooks are still looked at.
"""

from collections.abc import Callable

from coursekit.checks import docs, exercises, experiments, form, markers, recordings, released
from coursekit.checks import gates as pipeline
from coursekit.checks.commands import Commands
from coursekit.checks.findings import CODES, Finding
from coursekit.course import Course

__all__ = ["CODES", "Finding", "run"]


def run(
    course: Course,
    fix: bool = False,
    gates: bool = True,
    say: Callable[[str], None] = lambda text: None,
    mutants: int = 1,
    commands: Commands | None = None,
) -> list[Finding]:
    """Everything that is wrong with the course; empty when nothing is.

    ``fix`` writes the source notebooks in canonical form first, and says what that changed.
    ``gates`` tries what marks depend on, in scratch courses and function by function, and says the figures;
    ``mutants`` says how many of the solutions' mutants: every one (1), every third (3), none (0).
    ``commands``: those that the docs may name; without them no command in the docs is looked at.
    """
    sources, findings = form.read_all(course, fix, say)
    for source in sources:
        findings += [*markers.check(source), *exercises.check(source), *experiments.check(source)]
    findings += docs.check(course, sources, commands)
    findings += released.check(course, sources)
    findings += recordings.check(course, sources)
    if gates:
        findings += pipeline.check(course, sources, say, mutants)
    return findings

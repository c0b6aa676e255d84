"""Proof that notebooks, docs, releases, recordings and the grader agree: ``coursekit check``.

    form         notebooks in canonical form (``fix`` writes it)       N1xx
    markers      solution regions, hints, hidden tests                 M2xx
    exercises    cells against the table of exercises                  E3xx
    experiments  tags of cells that are not run at grading             E3xx
    twins        how easily the results of twins are guessed           E3xx
    docs         links, names of files and commands (markdown reads)   D4xx
    released     the release is up to date and reveals nothing           R5xx
    recordings   expected outputs are what the solutions return        X6xx
    acceptance   marks, mistakes, right answers, mutants: with figures      G7xx

Every code has its line in ``findings.CODES``. A check returns findings and does not raise for defects of
the course: a broken notebook is one finding, and the other notebooks are still checked.
"""

from collections.abc import Callable, Collection
from pathlib import PurePosixPath

from coursekit.authoring.checks import acceptance as acceptance_checks
from coursekit.authoring.checks import docs, exercises, experiments, form, markers, recordings, released, twins
from coursekit.authoring.checks.commands import Commands
from coursekit.authoring.checks.findings import CODES, Finding
from coursekit.model.course import Course

__all__ = ["CODES", "Finding", "run"]


def run(
    course: Course,
    assignments: Collection[str] = (),
    fix: bool = False,
    acceptance: bool = True,
    say: Callable[[str], None] = lambda text: None,
    mutants: int = 1,
    brief: bool = False,
    commands: Commands | None = None,
) -> list[Finding]:
    """All findings about the course, or about these assignments alone.

    ``fix`` first writes the source notebooks in canonical form, and reports the changes.
    ``acceptance`` runs the acceptance checks, in scratch courses and function by function, and reports their figures;
    ``mutants``: try every mutant of the solutions (1), every third (3), none (0). ``brief``: a small sample
    of them, as for every commit. ``commands``: the commands that the docs may name; if None, commands in the docs are
    not checked.
    """
    sources, findings = form.read_all(course, fix, say)
    if assignments:
        sources = [source for source in sources if source.assignment in assignments]
        findings = [finding for finding in findings if _concerns(finding, assignments)]
    for source in sources:
        findings += [*markers.check(source), *exercises.check(source), *experiments.check(source)]
    about_docs = docs.check(course, sources, commands)
    findings += [finding for finding in about_docs if not assignments or _concerns(finding, assignments)]
    findings += released.check(course, sources, assignments)
    findings += twins.check(course, sources)
    findings += recordings.check(course, sources, brief or not acceptance)
    if acceptance:
        findings += acceptance_checks.check(course, sources, say, mutants, brief)
    return findings


def _concerns(finding: Finding, assignments: Collection[str]) -> bool:
    """Whether a finding is in a file of one of these assignments."""
    parts = PurePosixPath(finding.where.partition("[")[0]).parts
    return len(parts) > 1 and parts[1] in assignments

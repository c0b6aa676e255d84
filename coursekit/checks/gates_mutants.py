"""Mutants against the table: each is killed, or listed in ``equivalent_mutants`` and never unlike the solution."""

from concurrent.futures import Executor

from coursekit.checks.findings import Finding, Source
from coursekit.checks.gates_scratch import Gate
from coursekit.course import Course
from coursekit.mutation import mutants_run
from coursekit.mutation.mutants_run import Outcome
from equivalent_mutants import EQUIVALENT
from hidden_tests import exercises

KILL = "add a case to hidden_tests.py that tells the two apart"
LIST = "add a case that shows it; or prove that no valid call can, and say why in equivalent_mutants.py"


def check(course: Course, source: Source, pool: Executor, every: int = 1) -> Gate:
    """Findings G710 and G711, and how many mutants there are of which sort."""
    keys = [row.key for row in exercises(source.assignment)]
    outcomes = mutants_run.run(course, keys, pool, every)
    findings = judged(outcomes, {key: EQUIVALENT.get(key, {}) for key in keys}, every == 1)
    killed = sum(outcome.killed for outcome in outcomes)
    surviving = sum(finding.code == "G710" for finding in findings)
    proved = len(outcomes) - killed - surviving
    sample = "" if every == 1 else f", one in {every},"
    return (
        findings,
        f"{len(outcomes)} mutants{sample}: {killed} killed, {surviving} surviving, {proved} proved equivalent",
    )


def judged(outcomes: list[Outcome], listed: dict[str, dict[str, str]], complete: bool = True) -> list[Finding]:
    """What is wrong with these outcomes; entries of mutants that do not exist only show when all were tried."""
    findings, tried = [], set()
    for outcome in outcomes:
        key, name = outcome.key, outcome.name
        tried.add((key, name))
        known = listed.get(key, {}).get(name)
        if outcome.killed and known:
            findings.append(_stale(key, f"{name!r} loses marks now"))
        elif outcome.difference:
            what = f"mutant {name!r} keeps full marks, but differs: {outcome.difference}"
            findings.append(Finding("G710", key, what[:400], KILL))
        elif not outcome.killed and not known:
            what = f"mutant {name!r} keeps full marks, and no call was found on which it differs"
            findings.append(Finding("G710", key, what[:400], LIST))
    if complete:
        entries = {(key, name) for key, names in listed.items() for name in names}
        findings += [_stale(key, f"there is no mutant {name!r} any more") for key, name in sorted(entries - tried)]
    return findings


def _stale(key: str, what: str) -> Finding:
    return Finding("G711", f"equivalent_mutants.py[{key}]", what, "take it out of the list")

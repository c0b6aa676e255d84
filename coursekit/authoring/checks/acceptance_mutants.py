"""Mutants against the cases: each is killed, or listed in ``equivalents.py`` and equal to the solution on all calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from coursekit.authoring.checks.acceptance_courses import AcceptanceResult
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.reference.process import ReferencePool

MUTANTS_PER_REQUEST = 40  # mutants per request to a process
ADD_CASE = "add a case to hidden/{assignment}/exercises.py that tells the two apart"
ADD_CASE_OR_LIST = (
    "add a case that shows it; or prove that no valid call can, and say why in hidden/{assignment}/equivalents.py"
)


def check(source: Source, pool: ReferencePool, every: int = 1) -> AcceptanceResult:
    """Findings G710 and G711, and the numbers of mutants."""
    functions = [row.function for row in source.exercises]
    known = dict(zip(functions, pool.ask("mutants", ({"function": name} for name in functions)), strict=True))
    requests = [
        {"function": name, "which": which[start : start + MUTANTS_PER_REQUEST]}
        for name in functions
        for which in [list(range(0, known[name]["count"], every))]
        for start in range(0, len(which), MUTANTS_PER_REQUEST)
    ]
    outcomes = [outcome for piece in pool.ask("try mutants", requests) for outcome in piece]
    listed = {name: known[name]["equivalent"] for name in functions}
    findings = judged(source.assignment, outcomes, listed, every == 1)
    killed = sum(outcome["killed"] for outcome in outcomes)
    surviving = sum(finding.code == "G710" for finding in findings)
    proved = len(outcomes) - killed - surviving
    sample = "" if every == 1 else f" (one in {every})"
    return (
        findings,
        f"{len(outcomes)} mutants{sample}: {killed} killed, {surviving} surviving, {proved} proved equivalent",
    )


def judged(
    assignment: str,
    outcomes: Sequence[Mapping[str, Any]],
    listed: Mapping[str, Mapping[str, str]],
    complete: bool = True,
) -> list[Finding]:
    """The findings for these results; entries of mutants that do not exist are found only if all were tried."""
    findings, tried = [], set()
    for outcome in outcomes:
        function, name = outcome["function"], outcome["name"]
        key = f"{assignment}/{function}"
        tried.add((function, name))
        known = listed.get(function, {}).get(name)
        if outcome["killed"] and known:
            findings.append(_stale(key, f"{name!r} loses marks now"))
        elif outcome["difference"]:
            what = f"mutant {name!r} keeps full marks, but differs: {outcome['difference']}"
            findings.append(Finding("G710", key, what[:400], ADD_CASE.format(assignment=assignment)))
        elif not outcome["killed"] and not known:
            what = f"mutant {name!r} keeps full marks, and no call was found on which it differs"
            findings.append(Finding("G710", key, what[:400], ADD_CASE_OR_LIST.format(assignment=assignment)))
    if complete:
        entries = {(function, name) for function, names in listed.items() for name in names}
        findings += [
            _stale(f"{assignment}/{function}", f"there is no mutant {name!r} any more")
            for function, name in sorted(entries - tried)
        ]
    return findings


def _stale(key: str, what: str) -> Finding:
    assignment, _, function = key.partition("/")
    return Finding("G711", f"hidden/{assignment}/equivalents.py[{function}]", what, "remove it from the list")

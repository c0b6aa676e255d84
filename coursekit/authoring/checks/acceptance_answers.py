"""The catalogue against the cases: every mistake loses marks, and every right answer keeps all of them."""

from coursekit.authoring.checks.acceptance_courses import AcceptanceResult
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.reference.process import ReferencePool


def check(source: Source, pool: ReferencePool, most: int | None = None) -> AcceptanceResult:
    """Findings G706 and G707, and the figures. ``most``: try only that many mistakes and right answers per exercise."""
    tried = pool.ask("losing", ({"function": row.function, "most": most} for row in source.exercises))
    wrong, right, losing = ([answer for one in tried for answer in one[sort]] for sort in ("wrong", "right", "losing"))
    missed = [answer for answer in wrong if answer not in losing]
    punished = [answer for answer in right if answer in losing]
    where = f"hidden/{source.assignment}/mistakes.py"
    findings = [
        Finding("G706", f"{where}[{answer}]", "keeps full marks", "add a case that shows it") for answer in missed
    ] + [
        Finding("G707", f"{where}[{answer}]", "loses marks, though it is right", "fix the case or the check")
        for answer in punished
    ]
    figure = f"mistakes{'' if most is None else ' (a sample)'}: {len(wrong) - len(missed)} of {len(wrong)} caught"
    return findings, f"{figure}; right answers: {len(right) - len(punished)} of {len(right)} keep full marks"

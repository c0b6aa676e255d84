"""Check cells tagged as experiments: none decides a mark, and no answer or test needs one."""

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.experiments import is_graded, is_tagged, plan
from coursekit.model.wording import first_few


def check(source: Source) -> list[Finding]:
    """Findings E312 and E313 of one notebook."""
    cells = source.notebook.cells
    if not any(map(is_tagged, cells)):
        return []
    findings = [
        Finding("E312", source.at(cell), "is tagged as an experiment, and decides marks", "take the tag off it")
        for cell in cells
        if is_tagged(cell) and is_graded(cell)
    ]
    missing = plan.missing_variables(source.notebook)
    remedy = "make it in a cell that is no experiment, or take the tag off the cell that makes it"
    return findings + [
        Finding("E313", source.at(cell), f"uses {first_few(missing[cell.id], 3)}, which only experiments give", remedy)
        for cell in cells
        if cell.id in missing
    ]

"""Check the markers of solution regions and hidden tests, and the hints above the regions."""

import ast
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model import notebooks
from coursekit.model.exercise import Exercise
from coursekit.model.notebooks import BEGIN_HIDDEN, BEGIN_SOLUTION, END_HIDDEN, END_SOLUTION

_HIDDEN = re.compile(r"(BEGIN|END) HIDDEN", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """The lines between two markers. ``above`` is the last line before them that is not empty."""

    lines: tuple[str, ...]
    above: str


def solution_regions(text: str) -> tuple[list[Region], str]:
    """The solution regions of a cell, and what is wrong with their markers (empty if nothing is)."""
    lines = text.split("\n")
    regions: list[Region] = []
    begun: int | None = None
    for number, line in enumerate(lines):
        begins, ends = BEGIN_SOLUTION in line, END_SOLUTION in line
        if not begins and not ends:
            continue
        if not line.lstrip().startswith("#") or (begins and ends):
            return regions, f"the marker in line {number + 1} is not a comment on a line of its own"
        if begins and begun is not None:
            return (
                regions,
                f"the region that begins in line {begun + 1} has another one in it (line {number + 1})",
            )
        if ends and begun is None:
            return regions, f"the marker in line {number + 1} ends a region that was not begun"
        if ends and begun is not None:
            above = [other for other in lines[:begun] if other.strip()]
            regions.append(Region(tuple(lines[begun + 1 : number]), above[-1] if above else ""))
        begun = number if begins else None
    return regions, "" if begun is None else f"the region that begins in line {begun + 1} has no end"


def has_hint(region: Region) -> bool:
    """Whether there is a comment, not a marker, directly above the region."""
    above = region.above.strip()
    return above.startswith("#") and len(above) > 2 and BEGIN_SOLUTION not in above and END_SOLUTION not in above


def check(source: Source) -> list[Finding]:
    """Findings M2xx of one notebook."""
    rows = {f"{row.grade_id}-test": row for row in source.exercises}
    findings = []
    for cell in source.notebook.cells:
        found = [*_solution(cell), *_hidden(cell, rows.get(notebooks.grade_id(cell) or ""))]
        findings += [Finding(code, source.at(cell), what, remedy) for code, what, remedy in found]
    return findings


def _solution(cell: NotebookNode) -> list[tuple[str, str, str]]:
    if not notebooks.is_solution(cell):
        marked = BEGIN_SOLUTION in cell.source or END_SOLUTION in cell.source
        if marked and cell.cell_type != "markdown":  # a Markdown text may mention the markers
            return [
                (
                    "M202",
                    "a solution marker in a cell that is no solution",
                    "take it out, or mark the cell as a solution",
                )
            ]
        return []
    if notebooks.is_written(cell):
        return []  # the whole cell is the model answer
    regions, problem = solution_regions(cell.source)
    if problem:
        return [("M201", problem, f"write `# {BEGIN_SOLUTION}` and `# {END_SOLUTION}` in turn")]
    written = [
        [line for line in region.lines if line.strip() and not line.strip().startswith("#")] for region in regions
    ]
    findings = []
    if not all(written) or not written:
        what = "an empty solution region" if regions else "no solution region"
        findings.append(("M203", what, "put markers around the lines that students are to write"))
    for number, region in enumerate(regions, 1):
        if not has_hint(region):
            what = f"no hint above solution region {number}"
            findings.append(("M204", what, "write a comment above it, such as `# (one line) Z = ...`"))
    return findings


def _hidden(cell: NotebookNode, row: Exercise | None) -> list[tuple[str, str, str]]:
    lines = cell.source.split("\n")
    marks = [number for number, line in enumerate(lines) if _HIDDEN.search(line)]
    if not marks:
        return [("M207", "no hidden test", f"add {_line_of(row)!r} between the markers")] if row else []
    if not notebooks.is_test(cell):
        return [("M206", "a hidden test in a cell that is not graded", "move it to the test cell of its exercise")]
    texts = [lines[number].rstrip() for number in marks]
    if texts != [BEGIN_HIDDEN, END_HIDDEN] * (len(marks) // 2):
        return [
            (
                "M205",
                "the markers of hidden tests do not pair up",
                f"write `{BEGIN_HIDDEN}`, one line, `{END_HIDDEN}`",
            )
        ]
    inside = [line for line in lines[marks[0] + 1 : marks[1]] if line.strip()]
    if len(marks) != 2 or len(inside) != 1 or (row is not None and not _names(inside[0], row)):
        return [
            (
                "M207",
                "the hidden test is not the one line that names the exercise",
                f"write {_line_of(row)!r}",
            )
        ]
    return []


def _line_of(row: Exercise | None) -> str:
    return f"from coursekit.author import check; check({row.function if row else '<function>'})"


def _names(line: str, row: Exercise) -> bool:
    """Whether the line calls ``check`` for this exercise, with any spacing and quotes."""
    try:
        return ast.dump(ast.parse(line)) == ast.dump(ast.parse(_line_of(row)))
    except (SyntaxError, ValueError):
        return False

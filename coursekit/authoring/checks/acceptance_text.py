"""Check that expected outputs in the text are what the solution notebook's test cells print."""

import math
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model import notebooks

_EXPECTED = re.compile(r"(?ms)^\*\*Expected output\*\*.*?^```\w*\n(?P<text>.*?)^```")
_TOKEN = re.compile(r"[\[\](){},=:]|[^\s\[\](){},=:]+")
REL, ABS = 1e-6, 1e-7  # numbers are printed with eight digits, and computers differ in the last one


def check(source: Source, executed: NotebookNode) -> Iterator[Finding]:
    """Findings G714. A text belongs to the last test cell above it; ``executed`` is the executed solution notebook."""
    outputs = {cell.id: cell.get("outputs", ()) for cell in executed.cells}
    test = ""
    for cell in source.notebook.cells:
        if notebooks.is_test(cell):
            test = cell.id
        found = _EXPECTED.search(cell.source) if cell.cell_type == "markdown" and test else None
        if found and not _ends_in(_printed(outputs.get(test, ())), found["text"]):
            what = f"the expected output is not what {test} prints with the solution"
            yield Finding("G714", source.at(cell), what, "copy what the solution prints")


def _printed(outputs: list[NotebookNode]) -> str:
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def _ends_in(printed: str, expected: str) -> bool:
    """Whether the printed text ends with these words and numbers, regardless of spaces."""
    have, want = _TOKEN.findall(printed), _TOKEN.findall(expected)
    return len(want) <= len(have) and all(map(_same, have[len(have) - len(want) :], want))


def _same(one: str, other: str) -> bool:
    try:
        return one == other or math.isclose(float(one), float(other), rel_tol=REL, abs_tol=ABS)
    except ValueError:
        return False

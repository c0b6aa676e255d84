"""Notebooks that are expensive to put back into the structure of the assignment, or to read as Python."""

from collections.abc import Callable

from benchmarks.costly.kit import (
    COST_LOST,
    NOTHING_LOST,
    PNG,
    Costly,
    Notebook,
    accents,
    answered,
    code,
    every_answer,
    lazily,
    solved,
    text,
    with_cells,
)  # fmt: skip

LONGEST = 99_000  # of one cell that is still parsed


def _costly(name: str, make: Callable[[], Notebook], lost: frozenset[str] = NOTHING_LOST) -> Costly:
    return Costly(name, "rebuilding", lazily(make), lost)


def _copies() -> Notebook:
    notebook = solved()
    answer = next(cell for cell in notebook["cells"] if cell["id"] == "linear-forward")
    copies = [answer | {"id": f"copy-{number}"} for number in range(4_800)]
    return notebook | {"cells": [*copies, *notebook["cells"]]}


def _different_copies() -> Notebook:
    notebook = solved()
    answer = next(cell for cell in notebook["cells"] if cell["id"] == "linear-forward")
    copies = [answer | {"id": f"copy-{number}", "source": f"{answer['source']}\n# {number}"} for number in range(900)]
    return notebook | {"cells": [*copies, *notebook["cells"]]}


def _similar_names() -> Notebook:
    """Thousands of functions called almost like the one that is missing."""
    notebook = answered("def compute_cost(", "def compute_cots(")
    names = [
        f"compute_c{'aeiou'[n % 5]}{'stxyz'[n // 5 % 5]}t{chr(97 + n // 25 % 26)}{chr(97 + n // 650)}"
        for n in range(4_000)
    ]
    cells = [code("\n".join(f"def {name}(): pass" for name in names[n::40]), f"c{n}") for n in range(40)]
    return with_cells(cells, notebook=notebook)


def _tiny_functions() -> Notebook:
    return with_cells([code(f"def f{number}(): return {number}", f"c{number}") for number in range(4_800)])


def _split_answers() -> Notebook:
    """Every answer is cut into its lines, a cell for each."""
    cells = []
    for cell in solved()["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
            lines = cell["source"].split("\n")
            parts = [lines[:3], *([line] for line in lines[3:])] if len(lines) < 9 else [lines]
            cells += [cell | {"id": f"{cell['id']}-{n}", "source": "\n".join(part)} for n, part in enumerate(parts)]
        else:
            cells.append(cell)
    return solved() | {"cells": cells}


def _never_whole() -> Notebook:
    """Behind every answer hundreds of cells that might be the rest of it."""
    cells = []
    for cell in solved()["cells"]:
        cells.append(cell)
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cells += [code("    x = (\n" * 400, f"{cell['id']}-rest-{number}") for number in range(60)]
    return solved() | {"cells": cells}


def _giant(line: str, cells: int = 5) -> Callable[[], Notebook]:
    """Cells of one giant expression, as long as they are still parsed."""
    return lambda: with_cells([code(line, f"giant-{number}") for number in range(cells)])


def _inside_functions(line: str) -> Callable[[], Notebook]:
    """Every answer holds an expression that costs much to parse, and never runs."""
    return lambda: every_answer(lambda source: f"{source}\n\n\ndef never():\n    return {line}\n")


def _fences() -> Notebook:
    source = "```python\ndef f(): pass\n```\n" * 3_500
    return with_cells([text(source, f"fenced-{number}") for number in range(5)])


def _magics() -> Notebook:
    source = "%matplotlib inline\n!true\nx?\n" * 3_300
    return with_cells([code(f"if False:\n    pass\n'''\n{source}'''", f"magics-{number}") for number in range(5)])


def _hidden_markers() -> Notebook:
    source = "### BEGIN HIDDEN TESTS\n" * 4_300
    return with_cells([code(source, f"hidden-{number}") for number in range(50)])


def _long_text() -> Notebook:
    return with_cells([code("def linear_forward(" * 1_000_000, "long")])


def _own_raises() -> Notebook:
    source = "\n".join(f"if False: raise ValueError(f'{{a}} {n} {{b}}')" for n in range(1_200))
    return with_cells([code(source, f"raises-{number}") for number in range(5)])


def _accents_beside_a_picture() -> Notebook:
    """The text is searched for the picture's name, however that is written."""
    cell = text("My notes " + accents(600_000), "mine", "raw")
    return with_cells([cell | {"attachments": {"a.png": {"image/png": PNG}}}])


def _accents_in_an_address() -> Notebook:
    return with_cells([text(f"![x]({accents(40_000)}.png) ![x]({'%CC%80%CC%96' * 9_000}.png)", "mine")])


CHAIN = "a=" * (LONGEST // 2) + "0"
SUM = "+".join(["x"] * (LONGEST // 2))
CALLS = "x" + "()" * 5_000
DEEP = "(" * 90 + "1" + ")" * 90
MINUS = "-" * 50_000 + "1"
LISTS = "[" + ",".join(["[" * 80 + "]" * 80] * 600) + "]"
STRING = "f'" + "{x}" * 30_000 + "'"

INPUTS = (
    _costly("4,800 copies of an answer", _copies),
    _costly("900 different versions of an answer", _different_copies),
    _costly("4,000 functions with similar names", _similar_names, COST_LOST),
    _costly("4,800 functions of one line", _tiny_functions),
    _costly("answers cut into single lines", _split_answers),
    _costly("60 unfinished cells behind every answer", _never_whole),
    _costly("five cells of 50,000 assignments in a row", _giant(f"if 0:\n  {CHAIN}")),
    _costly("five cells of sums of 50,000", _giant(f"if 0:\n  {SUM}")),
    _costly("five cells of 5,000 calls of calls", _giant(f"if 0:\n  {CALLS}")),
    _costly("five cells of 50,000 signs", _giant(f"if 0:\n  {MINUS}")),
    _costly("five cells of lists in lists", _giant(f"if 0:\n  {LISTS}")),
    _costly("five cells of f-strings with 30,000 gaps", _giant(f"if 0:\n  {STRING}")),
    _costly("every answer with a sum of 700", _inside_functions("+".join(["x"] * 700))),
    _costly("17,500 fenced functions in Markdown", _fences),
    _costly("50,000 lines that look like magics", _magics),
    Costly("215,000 beginnings of hidden tests", "rebuilding", lazily(_hidden_markers), refusable=True),
    Costly("17 MB of the beginning of a function", "rebuilding", lazily(_long_text), refusable=True),
    _costly("6,000 lines that raise", _own_raises),
    _costly(
        "two names of 90,000 accents",
        lambda: with_cells([code(f"if False: {accents(90_000)} = {number}", f"mine-{number}") for number in range(2)]),
    ),
    _costly(
        "raw cells that are a name of 90,000 accents",
        lambda: with_cells([text(accents(90_000), f"mine-{number}", "raw") for number in range(2)]),
    ),
    _costly("600,000 accents beside a picture", _accents_beside_a_picture),
    _costly("40,000 accents in the address of a picture", _accents_in_an_address),
)

"""What every costly input is made of: the record of one, and the ways to put something into a notebook or a folder."""

import copy
import functools
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import made
from coursekit.author import Recipe
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.submission import candidates

ASSIGNMENT = "step-by-step"
NAME = f"{ASSIGNMENT}.ipynb"
MIB = 1 << 20
LARGEST = candidates.MAX_NOTEBOOK_BYTES - MIB  # of a notebook: just below what the grader reads at all
ROOT = Path(__file__).resolve().parents[2]
POINTS = {row.function: row.points for row in assignments.load(Course(ROOT), ASSIGNMENT).exercises}
ALL = frozenset(POINTS)
NOTHING_LOST: frozenset[str] = frozenset()
COST = "cost = np.sum(losses) / m"
COST_LOST = frozenset({"compute_cost"})
PNG = "iVBORw0KGgo" + "A" * 41  # the beginning of a picture, which is enough to be kept

Notebook = dict[str, Any]
Write = Callable[[Path], None]


@dataclass(frozen=True)
class Costly:
    """One hostile or damaged hand-in. ``write`` puts it into the student's folder.

    ``lost`` are the functions that lose marks, and no other does; None where time decides. ``refusable``: it may also
    be refused as a whole, with a reason in words and no marks, because nobody needs to read that much.
    """

    name: str
    group: str
    write: Write
    lost: frozenset[str] | None = NOTHING_LOST
    refusable: bool = False


@functools.cache
def _made(blank: bool) -> str:
    return made.of(Course(ROOT), ASSIGNMENT, [Recipe("", "", blank=blank)])[0].decode()


def solved() -> Notebook:
    """A notebook with every answer right, as a student hands it in."""
    notebook: Notebook = json.loads(_made(blank=False))
    return notebook


def blank() -> Notebook:
    """The released notebook, in which nothing is written."""
    notebook: Notebook = json.loads(_made(blank=True))
    return notebook


def code(source: str | list[str], cell_id: str = "mine", **fields: Any) -> Notebook:
    cell: Notebook = {"cell_type": "code", "id": cell_id, "metadata": {}, "outputs": [], "execution_count": None}
    return cell | {"source": source} | fields


def text(source: str, cell_id: str = "mine", kind: str = "markdown") -> Notebook:
    return {"cell_type": kind, "id": cell_id, "metadata": {}, "source": source}


def with_cells(cells: Iterable[Notebook], before: str = "linear-forward", notebook: Notebook | None = None) -> Notebook:
    """The solved notebook, or another, with cells of the student's own above one of ours."""
    notebook = copy.deepcopy(notebook) if notebook is not None else solved()
    at = next(index for index, cell in enumerate(notebook["cells"]) if cell["id"] == before)
    notebook["cells"][at:at] = cells
    return notebook


def behind_every_cell(source: str) -> Notebook:
    """The solved notebook with a code cell of the student's own behind every code cell of ours."""
    notebook = solved()
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        cells += [cell, code(source, f"mine-{number}")] if cell["cell_type"] == "code" else [cell]
    return notebook | {"cells": cells}


def answered(old: str, new: str) -> Notebook:
    """The solved notebook with one line of the answers replaced, wherever it stands; the line must exist."""
    notebook = solved()
    found = [cell for cell in notebook["cells"] if old in _text(cell)]
    if not found:
        raise ValueError(f"no cell has {old!r}")
    for cell in found:
        cell["source"] = _text(cell).replace(old, new)
    return notebook


def every_answer(change: Callable[[str], str]) -> Notebook:
    """The solved notebook with every answer changed."""
    notebook = solved()
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = change(_text(cell))
    return notebook


def _text(cell: Notebook) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def hand_in(made: Notebook | str | bytes, name: str = NAME) -> Write:
    """A folder with this one file."""
    return lambda folder: put(folder, name, made)


def lazily(make: Callable[[], Notebook | str | bytes], name: str = NAME) -> Write:
    """The same for what is large: it is made when it is written."""
    return lambda folder: put(folder, name, make())


def put(folder: Path, name: str, made: Notebook | str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")


def in_text(old: str, new: str, notebook: Notebook | None = None) -> str:
    """The notebook as text with one piece of its JSON replaced, once; the piece must exist."""
    whole = json.dumps(notebook if notebook is not None else solved())
    if old not in whole:
        raise ValueError(f"the notebook's text has no {old!r}")
    return whole.replace(old, new, 1)


def accents(many: int) -> str:
    """A letter with so many accents, in the order that takes longest to sort."""
    return "a" + "\u0300" * (many // 2) + "\u0316" * (many // 2)


def filled(piece: str, size: int, between: str = ",") -> str:
    """The piece again and again, so many characters in all."""
    return between.join([piece] * (size // (len(piece) + len(between))))


def packed(files: Iterable[tuple[str, str | bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data, method)
    return buffer.getvalue()

"""What a class hands in when not everybody means well: right answers, known mistakes, damage and hostility, as kinds.

Of each kind is said what is known of its marks without any grader: whoever has written the right functions has their
points, whatever else stands in the notebook.
"""

import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import made
from benchmarks.classes import STYLES
from coursekit.author import Recipe
from coursekit.model.course import Course
from coursekit.reference import assignments

ASSIGNMENT = "step-by-step"
ROOT = Path(__file__).resolve().parent.parent
TROUBLE_SHARE, MISTAKE_SHARE = 0.1, 0.25  # of all, and of the rest
RIGHT, MISTAKEN, DAMAGED, HOSTILE = "right", "mistaken", "damaged", "hostile"

Notebook = dict[str, Any]
Change = Callable[[Notebook], Notebook | str | bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of submission. ``lost``: functions that lose marks, and no other does; None where nobody knows before.

    ``unread``: there is nothing to grade in it, which must be said.
    """

    name: str
    sort: str
    recipe: Recipe
    lost: frozenset[str] | None = frozenset()
    unread: bool = False
    beside: tuple[tuple[str, bytes], ...] = field(default=())


def hand_in(course: Course, who: Mapping[str, Kind]) -> None:
    """What each student hands in stands in their submitted folder."""
    kinds = list(dict.fromkeys(who.values()))
    notebooks = dict(zip(kinds, made.of(course, ASSIGNMENT, [kind.recipe for kind in kinds]), strict=True))
    for student, kind in who.items():
        folder = course.submitted(ASSIGNMENT, student)
        files = {kind.recipe.file_name or f"{ASSIGNMENT}.ipynb": notebooks[kind]}
        for name, data in (files | dict(kind.beside)).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def a_class(kinds: list[Kind], size: int, seed: int) -> dict[str, Kind]:
    """Students and their kinds, in an order that the seed decides: one in ten is trouble, every kind of it in turn."""
    draw = random.Random(seed)
    trouble = [kind for kind in kinds if kind.sort in (DAMAGED, HOSTILE)]
    draw.shuffle(trouble)
    many = max(1, round(size * TROUBLE_SHARE))
    chosen = [trouble[number % len(trouble)] for number in range(many)]
    for number in range(size - many):
        sort = MISTAKEN if number < (size - many) * MISTAKE_SHARE else RIGHT
        chosen.append(draw.choice([kind for kind in kinds if kind.sort == sort]))
    draw.shuffle(chosen)
    return {f"student-{number:04}": kind for number, kind in enumerate(chosen)}


def all_kinds() -> list[Kind]:
    """Every kind there is, each by a name of its own."""
    return [*_right(), *_mistaken(), *_damaged(), *_hostile()]


# --- honest people -------------------------------------------------------------------------------------------

COST = "cost = np.sum(losses) / m"
NOISE = """import sys, warnings
warnings.warn("careful")
print("x", file=sys.stderr)
np.log(np.zeros(2))
-1"""


def _right() -> list[Kind]:
    styles = {style: Recipe("", "", style=style) for style in STYLES}
    recipes = {"own solutions": Recipe("", "")} | styles
    recipes["warnings and prints"] = Recipe("", "", change=_on_top(NOISE))
    return [Kind(name, RIGHT, recipe) for name, recipe in recipes.items()]


def _mistaken(every: int = 9) -> list[Kind]:
    """A share of the catalogue; then one that is wrong in two functions which others call, and one that is a stub."""
    kinds = []
    for one in assignments.load(Course(ROOT), ASSIGNMENT).mistakes[::every]:
        recipe = Recipe("", "", mistake=(one.function, one.name))
        kinds.append(Kind(f"{one.function}:{one.name}", MISTAKEN, recipe, frozenset({one.function})))
    two = Recipe("", "", mistake=("linear_forward", "element-wise-product"), answers=((COST, COST + " * 2"),))
    return [
        *kinds,
        Kind("two wrong functions", MISTAKEN, two, frozenset({"linear_forward", "compute_cost"})),
        Kind("a function that raises", MISTAKEN, _with_cost('raise ValueError("I cannot")'), COST_LOST),
        Kind("nothing written", MISTAKEN, Recipe("", "", blank=True), None),
    ]


# --- damage ----------------------------------------------------------------------------------------------------


def _damaged() -> list[Kind]:
    def kind(name: str, change: Change, file_name: str = "", **known: Any) -> Kind:
        return Kind(name, DAMAGED, Recipe("", "", change=change, file_name=file_name), **known)

    unread: dict[str, Any] = {"lost": None, "unread": True}
    return [
        kind("half a file", _half, lost=None),
        kind("a deleted test cell", _without_a_test),
        kind("a cell pasted twice", _pasted_twice),
        kind("a renamed notebook", lambda notebook: notebook, "my homework.ipynb"),
        kind("a zip archive", _zipped, "homework.zip"),
        kind("a folder in the folder", lambda notebook: notebook, f"homework/{ASSIGNMENT}.ipynb"),
        kind("every cell twice", lambda notebook: notebook | {"cells": [*notebook["cells"], *notebook["cells"]]}),
        kind("metadata cleared", _metadata_cleared),
        kind("UTF-16", lambda notebook: json.dumps(notebook).encode("utf-16")),
        kind("an empty file", lambda _: b"", **unread),
        kind("a PDF", lambda _: b"%PDF-1.7 \x80\x81", **unread),
        kind("brackets without end", lambda _: b"[" * 100_000, **unread),
        kind("a broken zip archive", lambda _: b"PK\x03\x04" + bytes(200), "homework.zip", **unread),
        kind("cells that are a number", lambda notebook: notebook | {"cells": 7}, **unread),
    ]


def _half(notebook: Notebook) -> str:
    text = json.dumps(notebook)
    return text[: len(text) // 2]


def _without_a_test(notebook: Notebook) -> Notebook:
    return notebook | {"cells": [cell for cell in notebook["cells"] if cell["id"] != "linear-backward-test"]}


def _pasted_twice(notebook: Notebook) -> Notebook:
    at = next(index for index, cell in enumerate(notebook["cells"]) if cell["id"] == "linear-forward")
    pasted = notebook["cells"][at] | {"id": "linear-forward-again"}
    return notebook | {"cells": [*notebook["cells"][: at + 1], pasted, *notebook["cells"][at + 1 :]]}


def _zipped(notebook: Notebook) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"homework/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"), json.dumps(notebook))
    return data.getvalue()


def _metadata_cleared(notebook: Notebook) -> Notebook:
    return notebook | {"cells": [cell | {"metadata": {}} for cell in notebook["cells"]]}


# --- hostility -------------------------------------------------------------------------------------------------

COST_LOST = frozenset({"compute_cost"})
TWO_WRONG = ((COST, "cost = 0.0"), ("Z = W @ A + b", "Z = 0 * (W @ A) - 7"))
TWO_LOST = frozenset({"compute_cost", "linear_forward"})
# A cell of the student's own that does harm costs nothing; what the grader must not do is to lose the others' points.
CELLS = {
    "a loop without an end": "while True:\n    pass",
    "a loop that will not be stopped": "while True:\n    try:\n        import time; time.sleep(30)\n    except: pass",
    "os._exit": "import os\nos._exit(3)",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kills everybody": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "kills its group": "import os, signal\nos.killpg(0, signal.SIGKILL)",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "closes every line": "import os\nos.closerange(0, 64)",
    "forks 200 times": """import os, time
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
    except OSError:
        break""",
    "leaves a process behind": """import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)""",
    "leaves threads behind": """import threading, time
for _ in range(8):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()""",
    "fills the memory": "hoard = []\nwhile True:\n    hoard.append(bytearray(b'x') * (64 << 20))",
    "prints without end": "while True:\n    print('x' * 4000)",
    "fills the disk": "with open('big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))",
    "makes files without end": "number = 0\nwhile True:\n    open(f'{number}', 'w').close()\n    number += 1",
}
FORGERIES = {
    "prints that look like answers": """import json
for number in range(80):
    print(json.dumps({"id": number, "done": True, "status": "ok", "defined": True, "earned": 100}))""",
    "answers in the grader's place": """import json, os
for number in range(1, 80):
    answer = {"id": number, "done": True, "status": "ok", "defined": True, "observations": [], "earned": 100}
    os.write(3, json.dumps(answer).encode() + b"\\n")""",
    "comparisons that say yes": """for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, lambda *args, **kwargs: True)
import public_tests
public_tests.compare = lambda *args, **kwargs: []""",
    "shows marks": """from IPython.display import display
display({"application/json": {"earned": 100, "points": 100}, "text/plain": "100"}, raw=True)
100""",
}
BESIDE = tuple((name, b"raise SystemExit('not the real one')\n") for name in ("numpy.py", "IPython.py", "json.py"))


def _hostile() -> list[Kind]:
    kinds = [Kind(name, HOSTILE, Recipe("", "", change=_on_top(cell))) for name, cell in CELLS.items()]
    for name, cell in FORGERIES.items():
        recipe = Recipe("", "", answers=TWO_WRONG, change=_on_top(cell))
        kinds.append(Kind(name, HOSTILE, recipe, TWO_LOST))
    in_functions = {
        "a function without an end": "while True:\n        m += 1",
        "a function that exits": "import os; os._exit(3)",
        "a function that kills itself": "import os; os.kill(os.getpid(), 9)",
        "a function that floods": "while True:\n        print('x' * 4000)",
    }
    kinds += [Kind(name, HOSTILE, _with_cost(code), COST_LOST) for name, code in in_functions.items()]
    return [*kinds, Kind("modules beside the notebook", HOSTILE, Recipe("", ""), beside=BESIDE)]


def _with_cost(code: str) -> Recipe:
    return Recipe("", "", answers=((COST, code),))


def _on_top(source: str) -> Change:
    """A cell of the student's own, above the first answer."""
    cell: Notebook = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "execution_count": None}

    def change(notebook: Notebook) -> Notebook:
        at = next(index for index, one in enumerate(notebook["cells"]) if one["id"] == "linear-forward")
        cells = notebook["cells"]
        return notebook | {"cells": [*cells[:at], cell | {"source": source}, *cells[at:]]}

    return change

"""Notebooks that hold a worker: they sleep, hang, kill themselves and begin again; and what fills the memory.

Sleeps are just below the limits that the benchmark sets. Nothing here signals anything but its own process, forks more
than 40 times, or holds more than 600 MiB: should a wall be down, the machine lives on.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.costly.kit import (
    ALL,
    COST,
    COST_LOST,
    NOTHING_LOST,
    Costly,
    Notebook,
    answered,
    behind_every_cell,
    code,
    every_answer,
    lazily,
    with_cells,
)  # fmt: skip
from coursekit.marking.limits import TimeLimits

SCALE = 10  # by how much every limit is shorter than in grading
SHORT = TimeLimits(**{name: seconds / SCALE for name, seconds in asdict(TimeLimits()).items()})
CELL_S, CALL_S = 0.8 * SHORT.cell_timeout_s, 0.6 * SHORT.call_timeout_s
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def _costly(name: str, make: Callable[[], Notebook], lost: frozenset[str] | None = NOTHING_LOST) -> Costly:
    return Costly(name, "holding", lazily(make), lost)


def _first(lines: str) -> Notebook:
    """Every function begins with these lines."""

    def change(source: str) -> str:
        marked = [line for line in source.split("\n") if "BEGIN SOLUTION" in line or "YOUR CODE" in line][:1]
        return source.replace(marked[0], _indented(marked[0], lines), 1) if marked else source

    return every_answer(change)


def _indented(marker: str, lines: str) -> str:
    pad = marker[: len(marker) - len(marker.lstrip())]
    return "\n".join([marker, *(pad + line for line in lines.split("\n"))])


@dataclass(frozen=True)
class _Sleep:
    seconds: float

    def __str__(self) -> str:
        return f"import time; time.sleep({self.seconds:g})"


FORKS = """import os, time
for _ in range(40):
    try:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    except OSError:
        break"""
DEAF = "import time\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass"
SLOW = f"import time\nfor _ in range(50):\n    print('x', flush=True); time.sleep({CELL_S / 60:g})"
MEMORY = "hoard = np.ones(75_000_000)"
MAPPINGS = """import mmap
held = []
try:
    for n in range(65_000): held.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ if n % 2 else 3))
except (OSError, ValueError): pass"""

INPUTS = (
    _costly("every cell sleeps a little less than it may", lambda: behind_every_cell(str(_Sleep(CELL_S))), None),
    _costly("every call sleeps a little less than it may", lambda: _first(str(_Sleep(CALL_S))), None),
    _costly("sleeps, then kills itself", lambda: with_cells(
        [*(code(str(_Sleep(CELL_S)), f"sleep-{n}") for n in range(8)), code(KILL, "kill")], "update-parameters"), None),
    _costly("sleeps in every cell, and each function kills itself", lambda: with_cells(
        [code(str(_Sleep(CELL_S)), f"sleep-{n}") for n in range(4)], notebook=_first(KILL)), ALL),
    _costly("kills itself in another cell each time", lambda: behind_every_cell(
        f"import random; random.seed(); {_Sleep(CELL_S / 2)}\nif random.random() < .2: {KILL}"), None),
    _costly("an endless loop in every function", lambda: _first("while True: pass"), ALL),
    _costly("an endless loop in every cell", lambda: behind_every_cell("while True: pass"), None),
    _costly("deaf loops in every cell", lambda: behind_every_cell(DEAF), None),
    _costly("deaf loops in every function", lambda: _first(DEAF), ALL),
    _costly("an endless loop in one function", lambda: answered(COST, "while True: pass"), COST_LOST),
    _costly("outputs that come slowly in every cell", lambda: behind_every_cell(SLOW), None),
    _costly("stops itself in every cell", lambda: behind_every_cell(
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"), None),
    _costly("forks 40 sleepers in every cell", lambda: behind_every_cell(FORKS)),
    _costly("threads that never end", lambda: behind_every_cell(
        "import threading, time\n"
        "for _ in range(20): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()")),
    _costly("600 MB, held in one array", lambda: with_cells([code(MEMORY)])),
    _costly("600 MB in every function", lambda: _first(MEMORY), None),
    _costly("65,000 mappings", lambda: with_cells([code(MAPPINGS)])),
)  # fmt: skip

"""Notebooks of people who want marks for nothing, handed in and marked behind real walls, without the slow pictures."""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

import nbformat

from coursekit.marking import graded_verdicts
from coursekit.marking import marker as marking
from coursekit.marking.limits import TimeLimits
from coursekit.marking.marker import Marked, Marker
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from tests.classroom import rebuild_with

QUICK = TimeLimits(cell_timeout_s=2.5, call_timeout_s=0.8, notebook_timeout_s=60)


class Room:
    """One marker of one assignment, and the notebooks that it is given. A context manager."""

    def __init__(
        self,
        course: Course,
        assignment: str = "step-by-step",
        limits: TimeLimits = QUICK,
        nonces: Callable[[], str] = lambda: "0",
    ) -> None:
        self.assignment, self.course = assignment, course
        self.about = assignments.load(course, assignment)
        self.rows = {row.function: row for row in self.about.exercises}
        self.points = {name: row.points for name, row in self.rows.items()}
        self.source = _light(notebooks.read(course.source(assignment)))
        self.released = _light(notebooks.read(course.release(assignment) / f"{assignment}.ipynb"))
        self.solutions = {cell.id: cell.source for cell in self.source.cells if notebooks.is_solution(cell)}
        self.marker = Marker(course, assignment, limits, isolation.require(), nonces)
        self._secrets: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.marker.close()

    def notebook(
        self,
        answers: Mapping[str, str] = {},
        start: str = "",
        end: str = "",
        behind: Mapping[str, str] = {},
        blank: Iterable[str] = (),
    ) -> Any:
        """The released notebook with all solutions in it but for these ``answers`` and the ``blank`` functions.

        ``start`` and ``end`` are cells that the student added, ``behind`` those below the answer of a function.
        """
        notebook = copy.deepcopy(self.released)
        own = {self.rows[name].grade_id: text for name, text in answers.items()}
        empty = {self.rows[name].grade_id for name in blank}
        cells: list[Any] = [_cell(start)] if start else []
        for cell in notebook.cells:
            if cell.id in self.solutions and cell.id not in empty:
                cell.source = own.get(cell.id, self.solutions[cell.id])
            cells.append(cell)
            cells += [_cell(text) for name, text in behind.items() if self.rows[name].grade_id == cell.id]
        notebook.cells = [*cells, *([_cell(end)] if end else [])]
        return notebook

    def rebuilt(self, notebook: Any) -> Any:
        return rebuild_with(self.source, notebook).notebook

    def mark(self, notebook: Any, files: Mapping[str, bytes] = {}) -> Marked:
        return self.marker.mark(self.rebuilt(notebook), files)

    def marks(self, marked: Marked) -> dict[str, float]:
        return {row.function: row.earned for row in marked.verdicts.exercises}

    def solutions_by_name(self) -> dict[str, str]:
        """The sources of the solutions, by function."""
        return {name: self.solutions[row.grade_id] for name, row in self.rows.items()}

    def secrets(self) -> frozenset[str]:
        """Numbers of the hidden cases, what goes in and what comes out, with eight digits: those of no public case."""
        self._secrets = self._secrets or self._worked_out()
        return self._secrets

    def _worked_out(self) -> frozenset[str]:
        public: set[str] = set()
        hidden: set[str] = set()
        for row in self.rows.values():
            expected = self.about.expected(row)
            for case in row.cases:
                into = public if case.public else hidden
                for flat in (row.given(case), expected[case.name]):
                    for leaf in flat.values():
                        numbers = getattr(leaf, "ravel", lambda: ())()
                        into.update(f"{abs(float(number)):.12f}"[:10] for number in numbers if number != round(number))
        return frozenset(hidden - public)


def _light(notebook: Any) -> Any:
    """Without the cells that only show something: they take most of the time."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (notebooks.is_solution(cell) or notebooks.is_test(cell) or "imports" in cell.id or cell.id == "one-core")
    ]
    return notebook


def _cell(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)


# A channel from one run to another: ``store(data)`` and ``load()``, as code of a submission. This one is in the page
# cache: which pages of the system's largest files are in memory tells a bit each. It needs 8 pages for every byte.
PAGE_CACHE = """
import glob, os, struct, zlib
def pages():
    mapped = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line}
    paths = [path for path in glob.glob("/usr/lib/*/*") if os.path.isfile(path) and not os.path.islink(path)]
    paths = [path for path in paths if os.path.getsize(path) > 1 << 20 and path not in mapped]
    for path in sorted(paths, key=lambda path: (-os.path.getsize(path), path)):
        try: file = os.open(path, os.O_RDONLY)
        except OSError: continue
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
        yield file, range(0, os.path.getsize(path) - 4096, 4096)
        os.close(file)
def store(data):
    data = zlib.compress(data, 9)
    data = struct.pack(">4sII", b"LOOT", len(data), zlib.crc32(data)) + data
    bits = iter("".join(f"{byte:08b}" for byte in data))
    for file, offsets in pages():
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        for offset, bit in zip(offsets, bits):
            if bit == "1": os.pread(file, 1, offset)
        if not (bit := next(bits, "")): return
def load():
    def bits():
        for file, offsets in pages():
            for offset in offsets:
                try: os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT); yield 1
                except BlockingIOError: yield 0
    stream = bits()
    def take(count): return bytes(sum(next(stream) << 7 - i for i in range(8)) for _ in range(count))
    word, size, sum_of_all = struct.unpack(">4sII", take(12))
    data = take(size) if word == b"LOOT" and size < 50_000 else b""
    return zlib.decompress(data) if data and zlib.crc32(data) == sum_of_all else b""
"""
# A channel that no sandbox has: a test carries what is written here to every process that begins later.
PERFECT = """
import base64, json, os
def store(data): os.write(3, json.dumps({"loot": base64.b64encode(data).decode()}).encode() + b"\\n")
def load(): return open("loot.txt", "rb").read() if os.path.exists("loot.txt") else b""
"""
# Functions that return nothing right, and pass on the inputs that the grader calls them with.
THIEVES = """
import json, os, signal, sys
SEEN = {}
def called_by_the_grader():
    frame = sys._getframe()
    while frame is not None:
        found = frame.f_locals.get("request")
        if isinstance(found, dict) and "cases" in found: return True
        frame = frame.f_back
    return False
def leave(how):
    if how == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit": os._exit(1)
def thief(name, last, how):
    def steal(*args, **kwargs):
        if called_by_the_grader(): SEEN[repr(args)] = 1
        if SEEN and name == last and not TEXT:
            store("\\n".join(SEEN).encode()[:20_000])
            leave(how)
        return 0
    return steal
try: TEXT = load().decode()
except Exception as error: TEXT, _ = "", print("no channel:", type(error).__name__)
print("LOOT", len(TEXT), TEXT if SHOW else "")
"""


def thieves(room: Room, channel: str, how: str = "", last: str = "L_model_backward", show: bool = False) -> Any:
    """A notebook without one right answer. ``last`` passes on all inputs, and then ends its process (``how``)."""
    answers = {name: f"{name} = thief('{name}', '{last}', '{how}')" for name in room.points}
    return room.notebook(answers, start=f"{channel}SHOW = {show}\n{THIEVES}")


# Functions that answer with what they know of right ones. They learn it in retries, where they call the stand-ins of
# right functions with every input that this process has seen, and pass it on; or from answers of their own.
LEARNERS = """
import os, pickle, signal
MINE, CALLS = {}, []
try: KNOWN = pickle.loads(load() or pickle.dumps({}))
except Exception: KNOWN = {}
def learner(name, answer, how):
    def function(*args):
        given, before = pickle.dumps(args), len(KNOWN)
        CALLS.append((name, given))
        for helper, mine in MINE.items():
            if (stand_in := globals().get(helper)) is mine: continue
            for other, call in [*CALLS]:
                if other == helper and (helper, call) not in KNOWN:
                    try: KNOWN[helper, call] = stand_in(*pickle.loads(call))
                    except Exception: pass
        learnt = len(KNOWN) > before
        if answer is not None:
            result = KNOWN[name, given] = answer(*args)
        else:
            result = KNOWN.get((name, given), 0)
        if learnt or answer is not None and name == "update_parameters":
            store(pickle.dumps(KNOWN))
            if how == "kill": os.kill(os.getpid(), signal.SIGKILL)
            if how == "exit": os._exit(1)
        return result
    MINE[name] = function
    return function
"""


def learners(room: Room, how: str = "", answers: Mapping[str, str] = MappingProxyType({})) -> Any:
    """A notebook of ``LEARNERS`` with the perfect channel, and with these answers of their own."""
    cells = {
        name: f"{answers.get(name, '')}\n{name} = learner('{name}', {name if name in answers else None}, '{how}')"
        for name in room.points
    }
    return room.notebook(cells, start=PERFECT + LEARNERS)


def printed(marked: Marked) -> str:
    """Everything that a cell showed, as text."""
    return "\n".join(
        json.dumps(cell.outputs, ensure_ascii=False) for cell in marked.notebook.cells if cell.cell_type == "code"
    )


def said(marked: Marked) -> str:
    """Everything that the verdicts say, as text."""
    return json.dumps(graded_verdicts.to_data(marked.verdicts), ensure_ascii=False)


def leaked(room: Room, marked: Marked) -> set[str]:
    """The numbers of hidden cases in what goes back to the student."""
    text = printed(marked) + said(marked)
    return {secret for secret in room.secrets() if secret in text}


__all__ = ["PAGE_CACHE", "PERFECT", "QUICK", "Room", "leaked", "learners", "marking", "printed", "said", "thieves"]

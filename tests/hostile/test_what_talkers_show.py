"""No page, output, message, receipt or file of a student shows a hidden input or a line of a reference.

The notebooks are those of ``tests.talkers``. They are graded as a class is: examined, recorded, and shown on a page.
"""

import json
import re

import pytest

from coursekit.feedback import generation
from coursekit.grading import outcomes, registration
from coursekit.grading.recorder import Recorder
from coursekit.marking.marker import Marker
from coursekit.marking.twins import by_function
from coursekit.model import notebooks
from coursekit.reference import twins
from coursekit.sandbox import client, isolation
from tests import talkers
from tests.attacks import QUICK, Room
from tests.classroom import ASSIGNMENT, hand_in, small_course
from tests.tables import importable, table

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")

ALL, SAMPLE = range(100), (2, 10, 15, 37, 79)
NUMBER = re.compile(r"(?<![\d.])\d+\.\d{6}")  # cut off behind six digits
HEX = re.compile(r"[0-9a-f]{16}")


def spelt(leaves):
    """The numbers of arrays with six digits, and as bytes in hexadecimal; whole numbers say nothing."""
    found = set()
    for leaf in leaves:
        for number in getattr(leaf, "ravel", lambda: ())():
            value = float(number)
            if value != round(value, 3):
                found.add(f"{abs(value):.12f}"[:-6])
                found.add(f"{abs(value):.6f}")
                found.add(leaf.dtype.type(number).tobytes().hex() if leaf.dtype.itemsize == 8 else "")
    return found - {""}


@pytest.fixture(scope="module")
def graded(tmp_path_factory, course):
    """Grades a notebook in a course of its own, and returns the outcome and everything that the student can get."""
    there = small_course(tmp_path_factory.mktemp("talkers") / "course")
    registration.register(there, ASSIGNMENT)
    with Marker(there, ASSIGNMENT, QUICK, isolation.require()) as marker:

        def grade(student, notebook):
            hand_in(there, student, json.dumps(notebook))
            outcome = outcomes.examine(there, ASSIGNMENT, student, marker)
            assert not outcome.failure, outcome.log
            with Recorder(there, ASSIGNMENT) as recorder:
                recorder.record(outcome)
            (page,) = generation.feedback(there, ASSIGNMENT, [student])
            assert not page.problem
            folders = (there.autograded(ASSIGNMENT, student), there.feedback(ASSIGNMENT, student))
            files = [path for folder in folders for path in sorted(folder.rglob("*"))]
            assert {path.suffix for path in files} >= {".ipynb", ".html"}
            texts = [path.name for path in files]
            texts += [path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()]
            messages = [outcome.log, repr(outcome.verdicts), *map(str, outcome.verdicts.notes)]
            return outcome.verdicts, "\n".join([*texts, *messages])

        yield grade


@pytest.fixture(scope="module")
def room(course):
    with Room(course) as room:
        yield room


@pytest.fixture(scope="module")
def harmless(room, graded):
    """What the student who has written nothing gets, and the numbers and lines in it: nobody is told these."""
    return graded("blank", room.notebook(blank=room.points))[1]


def hidden_numbers(room):
    """Numbers of hidden inputs that no public case has."""
    given = {True: set(), False: set()}
    for row in room.rows.values():
        for case in row.cases:
            given[case.public] |= spelt(row.given(case).values())
    return given[False] - given[True]


def twin_numbers(nonces):
    """Numbers of the inputs of the twins of these runs."""
    with importable(ASSIGNMENT):
        runs = [by_function(twins.draw(table(ASSIGNMENT), nonce)) for nonce in nonces]
    text = json.dumps([twin.arguments for run in runs for some in run.values() for twin in some])
    return {match[0] for match in NUMBER.finditer(text)}


def reference_lines(room, harmless):
    """Lines of the solutions that are in no release."""
    released = "\n".join(cell.source for cell in room.released.cells)
    lines = {
        line.strip()
        for cell in notebooks.read(room.course.source(room.assignment)).cells
        if notebooks.is_solution(cell)
        for line in cell.source.splitlines()
        if "=" in line and len(line.strip()) > 20
    }
    return {line for line in lines if line not in released and line not in harmless}


def shown(text, numbers):
    """Those of the numbers that stand in a text."""
    return ({match[0] for match in NUMBER.finditer(text)} | {match[0] for match in HEX.finditer(text)}) & numbers


def leaks(room, graded, harmless, number):
    """What the notebook of this number has shown."""
    verdicts, text = graded(f"talker-{number}", talkers.notebook(room, number))
    assert verdicts.exercises
    assert sum(one.earned for one in verdicts.exercises) == 0
    numbers = hidden_numbers(room) | twin_numbers(verdicts.nonces)
    assert len(numbers) > 1000
    lines = reference_lines(room, harmless)
    assert len(lines) > 8
    return shown(text, numbers - shown(harmless, numbers)) | {line for line in lines if line in text}


@pytest.mark.parametrize("number", SAMPLE, ids=lambda number: " - ".join(talkers.parts(number)))
def test_a_talker_shows_nothing(room, graded, harmless, number):
    assert leaks(room, graded, harmless, number) == set()


@pytest.mark.nightly
@pytest.mark.parametrize("number", ALL, ids=lambda number: f"{number} - {' - '.join(talkers.parts(number))}")
def test_none_of_a_hundred_talkers_shows_anything(room, graded, harmless, number):
    assert leaks(room, graded, harmless, number) == set()


def test_the_functions_of_a_talker_do_see_hidden_inputs(room, monkeypatch):
    """This one writes them on the line to the grader, who drops them; here the test reads them."""
    number = next(number for number in ALL if talkers.parts(number)[1] == "the grader's line")
    events, ask = [], client.Child.ask

    def listening(self, *args, **kwargs):
        reply = ask(self, *args, **kwargs)
        events.extend(map(str, reply.events))
        return reply

    monkeypatch.setattr(client.Child, "ask", listening)
    room.mark(talkers.notebook(room, number))
    assert len(shown("\n".join(events), hidden_numbers(room))) > 20


def test_what_is_looked_for_would_be_found(room, graded, harmless):
    """A notebook whose cells print hidden inputs, as no submission can, and a line of a solution."""
    row = room.rows["compute_cost"]
    (case, *_) = [case for case in row.cases if not case.public]
    line = sorted(reference_lines(room, harmless))[0]
    spoilt = room.notebook(blank=room.points, end=f"print({row.given(case)['AL'].tolist()})\nprint({line!r})")
    text = graded("spoilt", spoilt)[1]
    assert shown(text, hidden_numbers(room) - shown(harmless, hidden_numbers(room)))
    assert line in text


def test_the_notebooks_have_every_part():
    seen = [set(column) for column in zip(*map(talkers.parts, ALL), strict=True)]
    assert seen == [set(one) for one in (talkers.SPELLINGS, talkers.PLACES, talkers.SHOWS, talkers.ENDS)]

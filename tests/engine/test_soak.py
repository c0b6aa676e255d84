"""The soak in small: a class with hostile and damaged submissions, graded under a killer, has every mark right, once.

When who is killed is a matter of chance, and what comes out is not. ``python -m benchmarks.soak`` is the whole of it.
"""

import contextlib
import os
import shutil
import sqlite3
from collections import Counter

import pytest

from benchmarks import hand_ins, killing, soak
from coursekit.model.course import Course
from coursekit.sandbox import isolation
from tests.classroom import ASSIGNMENT, small_course

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")
SIZE, SEED = 24, 4
TROUBLE = {"os._exit", "prints that look like answers", "half a file"}


@pytest.fixture(scope="module")
def soaked(tmp_path_factory):
    """What is expected, the class, and how it went."""
    folder = tmp_path_factory.mktemp("soak")
    course = small_course(folder / "light")
    kinds = [kind for kind in hand_ins.all_kinds() if kind.sort == hand_ins.RIGHT or kind.name in TROUBLE]
    kinds += [kind for kind in hand_ins.all_kinds() if kind.sort == hand_ins.MISTAKEN][-3:-1]
    expected = soak.alone(course, folder / "alone", kinds)
    report = soak.soak(course, folder / "class", expected, SIZE, SEED, kills=2, every_s=(0.1, 0.5))
    return expected, Course(folder / "class" / "course"), report


@pytest.mark.nightly
def test_every_mark_is_right_and_once_whoever_was_killed(soaked):
    _, _, report = soaked
    assert report.complaints() == []
    assert report.killed.total() > 0
    assert report.whole == report.size == SIZE
    assert report.sorts[hand_ins.HOSTILE] + report.sorts[hand_ins.DAMAGED] == 2


HARM = {
    "wrong": "update grade set auto_score = auto_score - 1 where rowid = (select max(rowid) from grade)",
    "double": "delete from grade where rowid = (select max(rowid) from grade)",
    "missing": "delete from submitted_assignment where rowid = (select max(rowid) from submitted_assignment)",
}


@pytest.mark.nightly
@pytest.mark.parametrize("what", HARM)
def test_the_soak_sees_what_is_not_as_it_should_be(soaked, tmp_path, what):
    expected, room, _ = soaked
    made = Course(shutil.copytree(room.root, tmp_path / "course"))
    with contextlib.closing(sqlite3.connect(made.root / "gradebook.db")) as book:
        book.execute(HARM[what])
        book.commit()
    assert len(getattr(compared(made, expected), what)) == 1


@pytest.mark.nightly
def test_the_soak_sees_a_notebook_that_is_not_whole(soaked, tmp_path):
    expected, room, _ = soaked
    made = Course(shutil.copytree(room.root, tmp_path / "course"))
    path = next(made.root.glob(f"autograded/*/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"))
    path.write_bytes(path.read_bytes()[:-100])
    assert len(compared(made, expected).missing) == 1


def compared(room: Course, expected: soak.Alone) -> soak.Report:
    report = soak.Report(SIZE, Counter(), 0)
    soak.compare(room, hand_ins.a_class(expected.kinds, SIZE, SEED), expected.results, report)
    assert not report.fine
    return report


def test_the_killer_knows_whose_processes_it_may_kill():
    """Only a child of its own process, and what descends from it; and never a later process of the same number."""
    assert killing.family(os.getppid()) == []
    assert killing.family(1) == []
    own = killing.Member(os.getpid(), "0", killing.WORKER)
    assert not killing.alive(own)
    assert not killing.kill(own)


def test_a_class_of_a_thousand_has_a_hundred_of_every_kind_of_trouble():
    kinds = hand_ins.all_kinds()
    assert len({kind.name for kind in kinds}) == len(kinds)
    first, again, other = (hand_ins.a_class(kinds, 1000, seed) for seed in (1, 1, 2))
    assert first == again != other
    trouble = {kind.name for kind in kinds if kind.sort in (hand_ins.HOSTILE, hand_ins.DAMAGED)}
    assert sum(kind.name in trouble for kind in first.values()) == 100
    assert {kind.name for kind in first.values()} == {kind.name for kind in kinds}

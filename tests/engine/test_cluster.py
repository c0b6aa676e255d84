"""Grading on a Dask cluster: a real scheduler and real worker processes, which see nothing of this course but bytes."""

import io
import os
import re
import socket
import threading
import zipfile
from pathlib import Path

import pytest

from coursekit.grading import workers
from coursekit.grading.cluster import payload, wire_format
from coursekit.grading.cluster import worker as cluster_worker
from coursekit.grading.options import GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.system import versions
from tests import cluster as clusters
from tests.classroom import ASSIGNMENT, copy_course, fill_in, hand_in, released_notebook, solution_cells
from tests.engine.test_workers import earned, poisoned
from tests.patience import until
from tests.processes import POISON, child_running, descendants, kill, parents

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'coursekit[cluster]'")
LIMITS = TimeLimits(cell_timeout_s=30, call_timeout_s=5)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with clusters.running(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def classroom(tmp_path_factory) -> Course:
    return copy_course(tmp_path_factory.mktemp("cluster-course") / "course")


def solved(course: Course):
    return fill_in(released_notebook(course), solution_cells(course))


def examine(course, students, address=""):
    return workers.examine_all(course, ASSIGNMENT, students, GradingOptions(LIMITS, scheduler=address))


def with_one_answer(course: Course):
    """A notebook that was begun."""
    cells = solution_cells(course)
    first = next(iter(cells))
    return fill_in(released_notebook(course), {first: cells[first]})


def test_whatever_is_handed_in_comes_out_as_on_this_machine(classroom, cluster):
    """Also by what is no file, what is too large, and when which notebook was changed."""
    hand_in(classroom, "anna", solved(classroom))
    (classroom.submitted(ASSIGNMENT, "anna") / "data.txt").write_bytes(bytes(range(256)))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(f"home/{ASSIGNMENT}.ipynb", hand_in(classroom, "ben", solved(classroom)).read_bytes())
    hand_in(classroom, "ben", zipped.getvalue(), "homework.zip")
    (classroom.submitted(ASSIGNMENT, "ben") / f"{ASSIGNMENT}.ipynb").unlink()
    linked = hand_in(classroom, "cleo", released_notebook(classroom))
    linked.unlink()
    linked.symlink_to(classroom.source(ASSIGNMENT))  # with all the solutions in it
    huge = hand_in(classroom, "dora", "{}")
    os.truncate(huge, 65 << 20)
    os.mkfifo(huge.with_name("pipe.ipynb"))
    blank, begun = released_notebook(classroom), with_one_answer(classroom)
    for name, notebook, modified in (("a", solved(classroom), 2e9), ("b", blank, 3e9), ("c", begun, 1e9)):
        os.utime(hand_in(classroom, "emil", notebook, f"{name}.ipynb"), (modified, modified))
    classroom.submitted(ASSIGNMENT, "fay").mkdir(parents=True)
    classroom.submitted(ASSIGNMENT, "gus").parent.mkdir(parents=True)
    classroom.submitted(ASSIGNMENT, "gus").symlink_to(classroom.submitted(ASSIGNMENT, "anna"))
    students = ["anna", "ben", "cleo", "dora", "emil", "fay", "gus", "no*name"]
    here = {one.student: one for one in examine(classroom, students)}
    there = {one.student: one for one in examine(classroom, students, cluster.address)}
    assert there == here
    assert [sum(row.earned for row in here[name].verdicts.exercises) for name in students[:7]] == [
        100, 100, 0, 0, 100, 0, 0]  # fmt: skip
    assert here["anna"].files == {"data.txt": bytes(range(256))}
    assert "symbolic link" in here["cleo"].verdicts.problem
    assert "larger than 64 MiB" in here["dora"].verdicts.problem


@pytest.mark.nightly
def test_a_lost_worker_costs_nobody_anything(classroom, cluster, tmp_path):
    students = [f"s{number}" for number in range(6)]
    for student in students:
        hand_in(classroom, student, solved(classroom))
    with clusters.running(tmp_path) as own:
        outcomes = examine(classroom, students, own.address)
        found = [next(outcomes)]
        victim = until(lambda: next((one for one in own.workers if descendants(one.pid)), None))
        theirs = descendants(victim.pid)
        victim.kill()
        found += outcomes
    assert sorted(one.student for one in found) == students
    assert {earned(one) for one in found} == {100}
    until(lambda: not theirs & set(parents()))
    until(lambda: not list(tmp_path.glob("worker-*/coursekit-*")))


def test_one_that_always_kills_what_grades_it_is_told_and_takes_no_other_with_it(classroom, cluster):
    students = ["poison", "s0", "s1", "s2"]
    hand_in(classroom, "poison", poisoned(solved(classroom)))
    for student in students[1:]:
        hand_in(classroom, student, solved(classroom))
    killer = threading.Thread(target=kill_worker_processes, args=(cluster, workers.MAX_ATTEMPTS))
    killer.start()
    found = {one.student: one for one in examine(classroom, students, cluster.address)}
    killer.join()
    assert found["poison"].failure == "its worker was killed 3 times; grade it again"
    assert [earned(found[student]) for student in students[1:]] == [100, 100, 100]
    assert all(worker.poll() is None for worker in cluster.workers)


def kill_worker_processes(cluster: clusters.Cluster, times: int) -> None:
    """Kills the process that grades the poisoned notebook, and the next one, so many times."""
    for _ in range(times):
        victim = until(lambda: next(filter(None, (child_running(POISON, one.pid) for one in cluster.workers)), None))
        kill(victim)
        until(lambda gone=victim: gone not in parents())


def test_the_course_payload_is_the_same_each_time_and_holds_no_more_than_grading_reads(classroom):
    (classroom.root / "gradebook.db").write_bytes(b"marks")
    pack = payload.of_course(classroom, ASSIGNMENT)
    assert payload.of_course(classroom, ASSIGNMENT) == pack
    _, files = wire_format.decode(pack)
    assert {
        f"hidden/{ASSIGNMENT}/exercises.py",
        f"hidden/{ASSIGNMENT}/recorded.npz",
        f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb",
    } <= set(files)
    assert not [name for name in files if re.match(r"nbgrader_config|gradebook|submitted|release", name)]
    assert str(classroom.root).encode() not in pack


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt", ""])
def test_nothing_in_a_message_leads_out_of_its_folder(tmp_path, name):
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="leads out"):
        wire_format.write_files({name: b"here"}, tmp_path / "inside")
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"\x80" + data])
def test_a_damaged_message_is_refused(damage):
    with pytest.raises(ValueError, match="message"):
        wire_format.decode(damage(wire_format.encode({"name": "\udcff"}, {"a": b"\0"})))


def test_another_coursekit_on_a_worker_is_refused(classroom):
    answer, _ = wire_format.decode(cluster_worker.examine(b"", b"", "0123", 3))
    _, found, _ = answer["refused"]
    assert found.startswith("its coursekit, Python or packages are not the grader's, or its settings of NumPy (")
    assert "OPENBLAS_CORETYPE" in found


def test_another_numpy_on_a_worker_is_another_engine(monkeypatch):
    """The stamp beside a result names the grader's NumPy, so it must be the one that computed."""
    here = cluster_worker.engine_digest.__wrapped__()
    monkeypatch.setattr(versions, "_version", lambda name: "1.0")
    assert cluster_worker.engine_digest.__wrapped__() != here


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://127.0.0.1:9", "Connection refused"),
        ("tcp://nohost.invalid:1", ""),  # each resolver has its own words
        ("127.0.0.1:9", "Connection refused"),
        ("nonsense://here", "unknown address scheme 'nonsense'"),
        ("no address", ""),
        ("tcp://here", "missing port number"),
    ],
)
def test_a_scheduler_that_is_not_there_is_told_at_once_in_one_line(classroom, address, why, monkeypatch):
    """It took 50 s, and the reason was the last of many tries, which had been given 0.13 s."""
    hand_in(classroom, "anna", "{}")
    monkeypatch.setattr(distributed.comm, "connect", None)
    with pytest.raises(CourseError, match=re.escape(f"{address}: cannot be reached (")) as caught:
        list(examine(classroom, ["anna"], address))
    assert why in str(caught.value)
    assert "timed out" not in str(caught.value).lower()
    assert "\n" not in str(caught.value)


def test_what_listens_and_is_no_scheduler_is_told_as_that(classroom, monkeypatch):
    from coursekit.grading.cluster import client as cluster

    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT_S", 0.5)
    hand_in(classroom, "anna", "{}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        said = f"{address}: cannot be reached (nothing there answers as a Dask scheduler does)"
        with pytest.raises(CourseError, match=re.escape(said)):
            list(examine(classroom, ["anna"], address))


def test_a_cluster_without_workers_is_told(classroom, tmp_path: Path):
    from coursekit.grading.cluster import client as cluster

    hand_in(classroom, "anna", "{}")
    with clusters.running(tmp_path, workers=0) as lonely:
        options = GradingOptions(LIMITS, scheduler=lonely.address)
        with pytest.raises(CourseError, match="no worker was there"):
            list(cluster.examine_all(classroom, ASSIGNMENT, ["anna"], options, 3, no_worker_timeout_s=0.1))

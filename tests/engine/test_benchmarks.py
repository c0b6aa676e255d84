"""The benchmarks run, and end with one table that has a ratio in every row. How fast anything was is not asked."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from benchmarks import classes, parts, watching
from benchmarks.__main__ import table
from tests.classroom import ASSIGNMENT, ROOT


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two submissions of ours, one of nbgrader's, and two commands."""
    from coursekit.model.course import Course

    small = {"size": 2, "stock": 1, "limit": 2, "jobs": 1, "sizes": (2,), "pairs": 1, "repeats": 1}
    plan = parts.Plan(Course(ROOT), ASSIGNMENT, tmp_path_factory.mktemp("benchmarks"), **small)
    alone = [parts.throughput, parts.cost, parts.memory, parts.twins, lambda plan: parts.start_up(plan, ["marks"])]
    return [row for part in alone for row in part(plan)]


@pytest.mark.nightly
def test_the_table_has_a_ratio_in_every_row(rows):
    assert all(row.ratio and row.figure for row in rows)
    file = io.StringIO()
    Console(file=file, width=160).print(table(rows, "a class of two"))
    said = file.getvalue()
    first = ("nbgrader autograde, 1 submissions", "coursekit grade, 2 submissions, 1 worker", "the limit: cells alone")
    for what in (*first, "one submission of 2", "coursekit marks --help", "a class of two"):
        assert what in said
    assert {row.part for row in rows} == {"throughput", "cost", "memory", "twins", "start"}
    assert all(row.met is None for row in rows if not row.goal)


def test_a_mark_that_is_not_what_it_should_be_stops_the_benchmark(scratch):
    """Else a grader that fails everybody would be the fastest."""
    from coursekit.grading import registration

    registration.register(scratch, ASSIGNMENT)
    with pytest.raises(RuntimeError, match="student-0000 has 0 of 1: this is no measurement"):
        parts._must_be_right(scratch.db_url, ASSIGNMENT, 1)


def test_a_command_that_fails_stops_the_benchmark(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3:\nso it goes"):
        watching.watch([sys.executable, "-c", "print('so it goes'); raise SystemExit(3)"], tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the figures come from /proc")
def test_memory_and_processor_time_are_those_of_the_whole_family():
    work = "import time\ndata = bytearray(60 << 20)\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        seen = watching.look_at(process.pid)
        process.communicate(b"\n")
    assert seen.others_mib > 60 > seen.own_mib > 0
    assert seen.cpu_s > 0.25


def test_stock_nbgrader_gets_hidden_tests_of_its_own(course, tmp_path):
    """Ours import the grader, which takes longer than the tests: that would not be a fair comparison."""
    root = classes.stock(course, ASSIGNMENT, 1, tmp_path)
    text = (root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text()
    assert text.count("from plain_checks import check; check(") == text.count("### BEGIN HIDDEN TESTS") == 10
    assert "coursekit" not in (root / "source" / ASSIGNMENT / "plain_checks.py").read_text().split('"""')[2]
    assert sorted(path.name for path in root.iterdir()) == ["nbgrader_config.py", "source", "submitted"]

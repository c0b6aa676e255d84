"""Code of a course runs in a process of its own: whatever it does there, the engine gets an answer or a reason."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name

import pytest

from coursekit.model.errors import CourseError
from coursekit.reference.__main__ import REQUESTS
from coursekit.reference.process import ReferencePool, ReferenceProcess
from tests import tiny
from tests.classroom import ROOT
from tests.patience import until
from tests.processes import descendants, kill, parents


def asked(course, question="describe", **given):
    with ReferenceProcess(course.root, tiny.NAME) as reference:
        return reference.ask(question, **given)


def refused(course, question="describe"):
    with pytest.raises(CourseError) as error:
        asked(course, question)
    return error.value.where, error.value.found


def above(text, module=tiny.CASES):
    """The module with these lines on top."""
    return f"{text}\n{module}"


def test_what_is_asked_is_answered_as_data(tmp_path):
    """Several questions to one process, and nothing of the course is in the engine."""
    course = tiny.course(tmp_path)
    with ReferenceProcess(course.root, tiny.NAME) as reference:
        (exercise,) = reference.ask("describe")["exercises"]
        assert reference.ask("answered") == {"double": tiny.SOLUTION}
        assert reference.ask("answered", answers=[["2 * x", "x + x"]])["double"].count("y = x + x") == 1
        assert reference.ask("misfits") == []
        assert reference.ask("ready") is None
    assert [(case["name"], case["public"]) for case in exercise["cases"]] == [
        ("example", True),
        ("one", True),
        ("many", False),
    ]
    assert "cases" not in sys.modules


def test_nothing_is_written_into_the_course(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    course = tiny.course(tmp_path, mistakes="")
    before = sorted(course.root.rglob("*"))
    asked(course)
    asked(course, "ready")
    assert sorted(course.root.rglob("*")) == before


def test_the_process_starts_with_the_first_question_and_ends_with_the_last(tmp_path):
    course = tiny.course(tmp_path)
    with ReferenceProcess(course.root, tiny.NAME) as reference:
        assert reference._process is None
        reference.ask("describe")
        pid = reference._process.pid
        assert pid in parents()
    assert pid not in parents()
    reference.close()  # again is no harm


@pytest.mark.parametrize(
    "noise",
    [
        "print('x' * 100_000)",
        "import os; os.write(1, b'garbage, and no end of line'); os.write(2, bytes(range(256)))",
        "import os; os.system('echo from another process')",
        "import sys; sys.stdout.write('{}'); sys.stdout.flush(); print('no', file=sys.__stdout__)",
    ],
)
def test_what_the_code_prints_is_no_answer(tmp_path, noise):
    assert asked(tiny.course(tmp_path, above(noise)))["gaps"] == []


@pytest.mark.parametrize("written", [b"garbage\n", b"[1]\n", b"\xff\n"])
def test_what_the_code_writes_among_the_answers_is_told(tmp_path, written):
    """To a file that it has not opened: no accident, and no traceback either."""
    noise = f"""
import os
for number in range(3, 20):
    try:
        os.write(number, {written!r})
    except OSError:
        pass
"""
    where, found = refused(tiny.course(tmp_path, above(noise)))
    assert where == "source/tiny"
    assert found.startswith("its code writes where the answers are written (")


@pytest.mark.parametrize(
    ("module", "text", "where", "found"),
    [
        ("cases", "\n1 / 0", "source/tiny/cases.py", "it cannot be used (ZeroDivisionError: division by zero, line 2)"),
        ("cases", "x = (", "source/tiny/cases.py", "it cannot be used (SyntaxError: '(' was never closed"),
        ("cases", "import no_such_module", "source/tiny/cases.py", "No module named 'no_such_module', line 1)"),
        ("cases", "input('?')", "source/tiny/cases.py", "it cannot be used (EOFError"),
        ("exercises", "raise KeyError('x' * 9999)", "hidden/tiny/exercises.py", "it cannot be used (KeyError: 'xxx"),
        (
            "mistakes",
            "MISTAKES = {'double': [('a',)]}",
            "source/tiny",
            "its code cannot be used (ValueError: not enough",
        ),
        ("mistakes", "class Odd(Exception): pass\nraise Odd('a\\nb')", "hidden/tiny/mistakes.py", "(Odd: a b, line 2)"),
    ],
)
def test_code_that_raises_is_told_with_its_file_and_line(tmp_path, module, text, where, found):
    told, said = refused(tiny.course(tmp_path, **{module: text}))
    assert told == where
    assert found in said
    assert len(said) < 400


def test_what_raises_below_is_told_where_the_course_calls_it(tmp_path):
    """Not with a line of NumPy, or of ours."""
    text = tiny.CASES.replace("np.arange(m * 1.0)", "np.zeros((2, 3)) @ np.zeros((2, 3))")
    where, found = refused(tiny.course(tmp_path, text))
    assert where == "source/tiny/cases.py"
    assert "ValueError: matmul" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os; os._exit(3)", "it says nothing"),
        ("import os; print('so it\\ngoes', flush=True); os._exit(0)", "goes"),
        ("import os; os.kill(os.getpid(), 9)", "it says nothing"),
        ("raise SystemExit('not today')", "not today"),
        ("import os; os.write(2, b'x' * 100_000); os._exit(1)", "x" * 300),
    ],
)
def test_code_that_ends_the_process_is_told_with_its_last_words(tmp_path, text, said):
    where, found = refused(tiny.course(tmp_path, text))
    assert (where, found) == ("source/tiny", f"the process that runs its code has ended ({said})")


def test_behind_a_process_that_has_ended_the_next_question_starts_another(tmp_path):
    course = tiny.course(tmp_path, "import os; os._exit(3)")
    with ReferenceProcess(course.root, tiny.NAME) as reference:
        for _ in range(2):
            with pytest.raises(CourseError, match="has ended"):
                reference.ask("describe")
        tiny.course(tmp_path)
        assert reference.ask("describe")["gaps"] == []
        kill(reference._process.pid)
        reference._process.wait()
        with pytest.raises(CourseError, match="has ended"):
            reference.ask("describe")
        assert reference.ask("describe")["gaps"] == []


def test_a_refused_question_costs_no_process_and_no_other_question(tmp_path):
    course = tiny.course(tmp_path)
    with ReferenceProcess(course.root, tiny.NAME) as reference:
        with pytest.raises(CourseError, match=r"mistakes\.py: there is no answer loops"):
            reference.ask("answered", style="loops")
        pid = reference._process.pid
        with pytest.raises(CourseError, match="unexpected keyword argument"):
            reference.ask("describe", nonsense=1)
        assert reference.ask("describe")["gaps"] == []
        assert reference._process.pid == pid


# --- several ---------------------------------------------------------------------------------------------------


def test_a_pool_keeps_the_order_of_the_questions(tmp_path):
    """Though the first answer comes last."""
    slow = """
import time
class Slow(str):
    def __eq__(self, other):
        time.sleep(0.5)
        return str.__eq__(self, other)
    __hash__ = str.__hash__
MISTAKES = {"double": [(Slow("slow"), "", {"2 * x": "<0>"}, ""), ("quick", "", {"2 * x": "<1>"}, "")]}
"""
    course = tiny.course(tmp_path, mistakes=slow)
    texts = ["2 * x", "y = 2", "* x", "return y"]
    with ReferencePool(course.root, tiny.NAME, 2) as pool:
        found = pool.ask("answered", ({"answers": [[text, f"<{number}>"]]} for number, text in enumerate(texts)))
        assert "<0>" in pool.ask("answered", [{"mistake": ["double", "slow"]}, {}, {}])[0]["double"]
        assert pool.ask("describe", []) == []
        assert pool.ask("describe", [{}])[0]["gaps"] == []
    assert [f"<{number}>" in one["double"] for number, one in enumerate(found)] == [True] * 4


def test_a_pool_that_is_left_waits_for_no_answer(tmp_path):
    """Ctrl+C counts once: whoever waited for code that never ends could only be killed."""
    course = tiny.course(tmp_path, above("import time; time.sleep(60)"))
    began = time.monotonic()
    with suppress(KeyboardInterrupt), ReferencePool(course.root, tiny.NAME, 2) as pool:
        pool._threads.submit(pool.ask, "describe", [{}])
        until(lambda: any(one._process for one in pool._all))
        raise KeyboardInterrupt
    assert time.monotonic() - began < 40
    assert not [one for one in pool._all if one._process]


def test_a_pool_passes_on_what_is_refused_and_leaves_no_process(tmp_path):
    course = tiny.course(tmp_path)
    before = descendants(os.getpid())
    with ReferencePool(course.root, tiny.NAME, 2) as pool:
        with pytest.raises(CourseError, match="there is no answer loops"):
            pool.ask("answered", [{}, {"style": "loops"}, {}])
        assert len(pool.ask("answered", [{}] * 4)) == 4
        assert 1 <= len(descendants(os.getpid()) - before) <= 2
    assert descendants(os.getpid()) <= before


@pytest.mark.parametrize("busy", [False, True])
def test_a_process_whose_engine_is_killed_ends(tmp_path, busy):
    """When it waits for a question, and when it is in the middle of one that never ends."""
    course = tiny.course(tmp_path, above("while True: pass") if busy else tiny.CASES)
    source = f"""
from pathlib import Path
from coursekit.reference.process import ReferenceProcess
reference = ReferenceProcess(Path({str(course.root)!r}), "tiny")
reference._started()
print("ready", flush=True)
reference.ask("describe")
print("answered", flush=True)
input()
"""
    command = [sys.executable, "-c", source]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as running:
        assert running.stdout.readline() == "ready\n"
        if not busy:
            assert running.stdout.readline() == "answered\n"
        started = descendants(running.pid)
        assert started
        kill(running.pid)
        until(lambda: not started & set(parents()))


# --- ready -----------------------------------------------------------------------------------------------------


def test_a_notebook_whose_imports_fail_is_not_ready(tmp_path):
    course = tiny.course(tmp_path, imports="import numpy as np\nimport no_such_module\nx = 1 / 0")
    where, found = refused(course, "ready")
    assert where == "source/tiny/tiny.ipynb[imports]"
    assert found.startswith("its imports fail in this environment (ModuleNotFoundError: No module named 'no_such")


def test_a_module_of_another_course_is_not_taken_for_its_own(tmp_path):
    """The engine's checkout is a course as well, and what it installs is found by everybody."""
    course = tiny.course(tmp_path, imports="import testCases")
    where, found = refused(course, "ready")
    assert where == "source/tiny/tiny.ipynb"
    assert found == f"testCases comes from {ROOT / 'testCases.py'}, which belongs to another course"
    (course.root / "testCases.py").write_text("", encoding="utf-8")
    assert asked(course, "ready") is None


def test_a_package_of_another_course_is_not_taken_for_its_own(tmp_path):
    where, found = refused(tiny.course(tmp_path, imports="from dnn import data_files"), "ready")
    assert where == "source/tiny/tiny.ipynb"
    assert found == f"dnn comes from {ROOT / 'dnn' / '__init__.py'}, which belongs to another course"


def test_a_module_of_the_same_name_elsewhere_is_not_taken_for_the_assignments_own(tmp_path):
    """Whatever was imported before it, the cases are those of this folder."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "exercises.py").write_text("EXERCISES = ()", encoding="utf-8")
    text = above(f"import sys; sys.path.insert(0, {str(other)!r}); import exercises")
    where, found = refused(tiny.course(tmp_path / "course", text))
    assert Path(where) == (tmp_path / "course" / "hidden" / "tiny" / "exercises.py").resolve()
    assert found == f"{other / 'exercises.py'} has the same name"


def test_every_request_names_a_function_that_is_there():
    assert all(callable(resolve_name(name)) for name in REQUESTS.values())

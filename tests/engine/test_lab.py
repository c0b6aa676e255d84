"""``coursekit lab`` without a browser: what it refuses, what it hands out, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from coursekit.lab import plan, student_workspace
from coursekit.lab import server as lab_server
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from tests.classroom import ASSIGNMENT, ROOT
from tests.patience import ended


def test_a_port_in_use_is_refused_before_anything_starts(scratch: Course) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CourseError, match=f"port {port}: cannot be used .*; name another"):
            plan.plan(scratch, port=port)


def test_an_unknown_assignment_is_refused(scratch: Course) -> None:
    with pytest.raises(CourseError, match="nonsense: there is no such assignment; choose one of: step-by-step"):
        plan.plan(scratch, student=True, assignment="nonsense")


def test_without_a_release_the_student_is_told_what_to_run_and_the_author_gets_the_source(
    scratch: Course,
) -> None:
    """An author writes the source before there is a release."""
    (scratch.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").unlink()
    with pytest.raises(CourseError, match=f"release/{ASSIGNMENT}: there is no release to show; run `./course release`"):
        plan.plan(scratch, student=True)
    assert plan.plan(scratch).opens == f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"


def test_the_users_own_jupyter_settings_are_left_out(scratch: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extension or a kernel of the user's could make the course look or work differently."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/somewhere")
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for student in (False, True):
        server = plan.plan(scratch, student)
        assert "/somewhere" not in server.environment.values()
        ours = {
            name: value for name, value in server.environment.items() if name.endswith("_DIR") and "JUPYTER" in name
        }
        assert len(ours) == 3
        assert all(Path(value).is_relative_to(scratch.root / ".coursekit" / "lab") for value in ours.values())
    assert "PYTHONPATH" not in server.environment


def test_the_students_copy_follows_the_release_until_it_is_changed(scratch: Course) -> None:
    """Work must never be lost, and a fixed test must arrive."""
    released, mine = scratch.release(ASSIGNMENT), student_workspace.folder(scratch) / ASSIGNMENT
    assert student_workspace.update(scratch) == ()
    assert {path.name for path in mine.iterdir()} == {path.name for path in released.iterdir()}

    (mine / "public_tests.py").write_text("# changed by the student")
    (mine / "notes.txt").write_text("the student's own")
    assert student_workspace.update(scratch) == ()  # the release is as it was: nothing to report

    (released / "public_tests.py").write_text("# fixed")
    (released / "dnn_utils.py").write_text("# fixed")
    (released / "testCases.py").unlink()
    (released / "new.py").write_text("# new")
    (mine / "selfcheck" / "comparison.py").unlink()
    for _ in range(2):
        assert student_workspace.update(scratch) == (f"{ASSIGNMENT}/public_tests.py",)
    assert (mine / "public_tests.py").read_text() == "# changed by the student"
    assert (mine / "notes.txt").read_text() == "the student's own"
    assert (mine / "dnn_utils.py").read_text() == "# fixed"
    assert (mine / "new.py").read_text() == "# new"
    assert (mine / "selfcheck" / "comparison.py").is_file()
    assert not (mine / "testCases.py").exists()

    (mine / "public_tests.py").unlink()
    assert student_workspace.update(scratch) == ()
    assert (mine / "public_tests.py").read_text() == "# fixed"


def test_work_in_a_folder_that_we_did_not_hand_out_is_kept(scratch: Course) -> None:
    mine = student_workspace.folder(scratch) / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("work")
    assert student_workspace.update(scratch) == (f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb",)
    assert mine.read_text() == "work"


def test_the_students_python_has_the_packages_and_not_the_course(scratch: Course) -> None:
    student_workspace.update(scratch)
    code = """
        import json, ipykernel, numpy
        from importlib.util import find_spec
        ours = ("coursekit", "cases", "exercises", "mistakes", "dnn", "dnn_utils")
        print(json.dumps([name for name in ours if find_spec(name)]))
    """
    ran = subprocess.run(
        [student_workspace.python(scratch), "-c", textwrap.dedent(code)],
        cwd=scratch.root.parent,
        env=plan.plan(scratch, student=True).environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == []


def test_a_server_that_breaks_off_or_never_answers_is_told_with_its_last_words(scratch: Course) -> None:
    last_words = "import sys, time; print('no more room', flush=True); time.sleep(float(sys.argv[1])); sys.exit(1)"
    server = plan.plan(scratch)
    broken = replace(server, command=(sys.executable, "-c", last_words, "0"))
    with (
        pytest.raises(CourseError, match=r"(?s)does not start \(exit code 1\).*no more room"),
        lab_server.running(broken),
    ):
        pass
    silent = replace(server, command=(sys.executable, "-c", last_words, "60"))
    with (
        pytest.raises(CourseError, match=r"(?s)not up after 1 s.*no more room"),
        lab_server.running(silent, timeout_s=1),
    ):
        pass


def test_ctrl_c_ends_the_lab_and_its_server(scratch: Course) -> None:
    """Nothing may stay behind and hold the port; the exit code says that all is well."""
    code = f"""
        import signal, sys
        from pathlib import Path
        from coursekit.lab import jupyterlab as lab
        from coursekit.model.course import Course
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, wherever this test runs
        say = lambda line: print(line, flush=True)
        sys.exit(lab.run(Course(Path({str(scratch.root)!r})), browser=False, report=say))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert next(process.stdout) == "Starting JupyterLab …\n"
        address = next(process.stdout).removeprefix("JupyterLab is at ").strip()
        with urllib.request.urlopen(address, timeout=600) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        assert ended(process) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=600)

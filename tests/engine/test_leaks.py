"""What a test leaves behind is found, named and put right: else the fault of one is the failure of another."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import leaks
from tests.classroom import ROOT
from tests.patience import until
from tests.processes import parents

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seen through /proc")
SLEEPS = "import time; time.sleep(600)"


def found(monkeypatch, before: leaks.State) -> list[str]:
    monkeypatch.setattr(leaks, "_GOES_S", 0.05)
    owned = leaks._owned.copy()
    try:
        return before.put_right() + leaks._remove(before.resources)
    finally:
        leaks._owned.clear()
        leaks._owned.update(owned)


CHANGES = {
    "another working directory": lambda folder: os.chdir(folder),
    "other environment variables: LEAKED": lambda _: os.environ.update(LEAKED="1"),
    "the umask 77": lambda _: os.umask(0o77),
    "another handler of SIGHUP": lambda _: signal.signal(signal.SIGHUP, lambda *_: None),
    "another sys.path": lambda folder: sys.path.insert(0, str(folder)),
    "other modules in sys.modules: json": lambda _: sys.modules.update(json=sys),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_state_is_told_and_put_right(tmp_path, monkeypatch, what):
    before = leaks.State.now()
    CHANGES[what](tmp_path)
    (told,) = found(monkeypatch, before)
    assert told.startswith(what)
    assert found(monkeypatch, before) == []


def test_the_entry_of_sys_path_is_named(tmp_path, monkeypatch):
    before = leaks.State.now()
    sys.path.insert(0, str(tmp_path))
    assert found(monkeypatch, before) == [f"another sys.path: {tmp_path}"]


def test_a_folder_that_a_library_adds_to_sys_path_stays(monkeypatch):
    before = leaks.State.now()
    folder = str(Path(pytest.__file__).parents[1] / "vendored")
    monkeypatch.syspath_prepend(folder)
    assert found(monkeypatch, before) == []
    assert folder in sys.path


def test_a_process_is_told_with_its_command_and_ended(monkeypatch):
    before = leaks.State.now()
    process = subprocess.Popen([sys.executable, "-c", SLEEPS])
    (told,) = found(monkeypatch, before)
    assert told.startswith(f"process {process.pid}: ")
    assert SLEEPS in told
    assert process.pid not in parents()
    process.wait()


def test_a_process_whose_parent_has_ended_is_found_too(monkeypatch):
    before = leaks.State.now()
    silent = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"  # or the pipes to this test would stay open
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPS!r}], {silent}).pid)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (told,) = found(monkeypatch, before)
    assert told.startswith(f"process {int(done.stdout)}: ")
    assert int(done.stdout) not in parents()


def test_a_process_that_ends_by_itself_a_moment_later_is_no_fault(monkeypatch):
    before = leaks.State.now()
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        pass
    assert process.returncode is not None
    monkeypatch.setattr(leaks, "_remove", leaks._remove)
    assert found(monkeypatch, before) == []


def test_an_open_file_is_told_until_it_is_closed(monkeypatch, tmp_path):
    before = leaks.State.now()
    descriptor = os.open(tmp_path / "left", os.O_CREAT | os.O_WRONLY)
    (told,) = found(monkeypatch, before)
    os.close(descriptor)
    assert told == f"open file {descriptor}: {tmp_path / 'left'}"
    assert found(monkeypatch, before) == []


def test_a_thread_is_told_by_its_name(monkeypatch):
    before, over = leaks.State.now(), threading.Event()
    thread = threading.Thread(target=over.wait, name="forgotten")
    thread.start()
    told = found(monkeypatch, before)
    over.set()
    thread.join()
    assert told == [f"thread {thread.ident}: forgotten"]
    until(lambda: not leaks._left(before.resources), "the end of the thread")


def test_a_test_that_leaks_fails_and_the_next_one_does_not(tmp_path):
    """The whole of it, in a pytest of its own."""
    (tmp_path / "test_two.py").write_text(
        "import os, subprocess\n"
        "def test_one():\n    os.environ['LEFT'] = '1'; os.open('/dev/null', 0)\n"
        "def test_two():\n    assert 'LEFT' not in os.environ\n"
    )
    options = ["-n", "0", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert "2 passed, 1 error" in done.stdout, done.stdout
    assert "this test leaves behind: other environment variables: LEFT; open file" in done.stdout

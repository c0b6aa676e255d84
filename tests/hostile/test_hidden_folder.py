"""The doors through which hidden/ could get out: by none of them does a line of it, a number or a file.

A toy course has a canary in everything that is hidden. What comes out at each door is searched for it, for the lines of
the modules and for pieces of the recordings.
"""

import functools
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest

from coursekit.authoring import release, release_zip
from coursekit.feedback import generation
from coursekit.grading import grade, gradebook
from coursekit.grading.cluster import payload, wire_format
from coursekit.grading.options import GradingOptions
from coursekit.lab import plan as lab_plan
from coursekit.lab import server as lab_server
from coursekit.lab import student_workspace
from coursekit.marking.runner import TimeLimits
from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from selfcheck import recordings
from tests import commands
from tests.attacks import Room, leaked, printed, said
from tests.classroom import ROOT
from tests.patience import ended, until
from tests.processes import descendants, kill, parents
from tests.toy import ASSIGNMENT, hand_in, toy_course

needs_walls = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")
CANARY = "canary-of-the-" + "hidden-folder-7203"  # in two pieces: a student's cell has it so, and is no leak
LIMITS = TimeLimits(cell_timeout_s=60, call_timeout_s=2, notebook_timeout_s=300)


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> Course:
    """The course with the canaries, released. Tests that change it take ``own``."""
    return _marked(toy_course(tmp_path_factory.mktemp("hidden") / "course"))


@pytest.fixture
def own(tmp_path) -> Course:
    return _marked(toy_course(tmp_path / "course"))


def _marked(course: Course) -> Course:
    (course.root / "hidden" / "sizes.py").write_text('"""Hidden cases in many sizes, for every assignment."""\n')
    (course.root / "helpers").mkdir()
    (course.root / "helpers" / "plots.py").write_text('"""What students are given."""\n')
    share(course, "helpers")
    with (course.root / settings.CONFIG).open("a", encoding="utf-8") as file:
        file.write('c.CourseDirectory.course_id = "toy"\n')  # the exchange asks for it
    for path in (course.root / "hidden").rglob("*.py"):
        with path.open("a", encoding="utf-8") as file:
            file.write(f'\nCANARY = "{CANARY}"\n')
    for folder in (course.root / "hidden", course.hidden(ASSIGNMENT), course.hidden(ASSIGNMENT) / "more"):
        folder.mkdir(exist_ok=True)
        (folder / "notes.txt").write_text(CANARY)
        (folder / "notes.ipynb").write_text(json.dumps({"cells": [], "metadata": {"x": CANARY}, "nbformat": 4}))
    return course


# --- the search ------------------------------------------------------------------------------------------------


@functools.cache
def needles(root: Path) -> frozenset[bytes]:
    """Whatever only stands in the course's hidden/: the canary, long lines of code, pieces of the recordings."""
    given = [
        *root.glob("*.py"),
        *(path for name in ("source", "dnn") for path in root.glob(f"{name}/**/*.py")),
        *(ROOT / "selfcheck").glob("*.py"),
    ]
    known = "\n".join(path.read_text(encoding="utf-8") for path in given)
    lines = {
        line.strip()
        for path in (root / "hidden").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    pieces = {
        data[at : at + 40]
        for path in (root / "hidden").rglob("*.npz")
        for data in [path.read_bytes()]
        for at in range(len(data) // 10, len(data) - 40, len(data) // 10)
    }
    texts = {line.encode() for line in lines if len(line) > 40 and line not in known}
    assert len(texts) > 10
    assert len(pieces) > 5
    return frozenset({CANARY.encode()} | texts | pieces)


@functools.cache
def toy_needles() -> frozenset[bytes]:
    with TemporaryDirectory() as folder:
        return needles(toy_course(Path(folder) / "course").root)


_searched: dict[tuple[Path | None, bytes], list[bytes]] = {}  # most files are the same in every course


def leaks(*folders: Path, of: Path | None = None) -> list[str]:
    """What of hidden/ lies below these folders, in words; what a zipped file holds is looked at, too.

    ``of``: the course whose hidden/ it is; if None, the toy course.
    """
    found = []
    for folder in folders:
        assert any(path.is_file() for path in folder.rglob("*")), f"nothing at all is in {folder}"
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if "hidden" in name.split("/") or path.is_symlink():
                found.append(f"{name}, a {'link' if path.is_symlink() else 'file'}")
            if path.is_file():
                found += [f"{name}: {needle!r}" for data in _contents(path) for needle in _search(data, of)]
    return found


def _search(data: bytes, of: Path | None) -> list[bytes]:
    key = of, hashlib.sha256(data).digest()
    if key not in _searched:
        _searched[key] = [needle for needle in (needles(of) if of else toy_needles()) if needle in data]
    return _searched[key]


def _contents(path: Path) -> list[bytes]:
    data = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            data += [archive.read(name) for name in archive.namelist()]
    return data


def test_the_search_finds_every_file_of_it(marked):
    found = {line.split(":")[0] for line in leaks(marked.root / "hidden")}
    there = {path.relative_to(marked.root / "hidden") for path in (marked.root / "hidden").rglob("*")}
    assert found == {path.as_posix() for path in there if path.suffix in (".py", ".npz", ".txt", ".ipynb")}


# --- releases --------------------------------------------------------------------------------------------------


def test_it_is_in_no_release_and_in_no_zip_of_one(own):
    release.release(own, ASSIGNMENT)
    assert leaks(own.root / "release", release_zip.write(own, ASSIGNMENT).parent) == []


def test_that_of_this_course_is_in_no_release_of_it():
    """Which are fresh: `check` compares them."""
    assert leaks(ROOT / "release", of=ROOT) == []


def test_a_released_recording_has_public_cases_only_and_names_no_mistake(course):
    """The recording is one file for both halves of an exercise: a case of the wrong half would be told with it."""
    for assignment in course.assignments():
        about = assignments.load(course, assignment)
        path = course.release(assignment) / recordings.NAME
        assert recordings.functions(path) == {exercise.function for exercise in about.exercises}
        for exercise in about.exercises:
            public = {case.name for case in exercise.public_cases}
            outputs, mistakes = recordings.read(path, exercise.function)
            assert set(outputs) <= public
            assert {name for known in mistakes for name in known.cases} <= public
            assert {known.name for known in mistakes} <= {""}


def test_stock_nbgrader_neither_releases_it_nor_puts_it_into_the_exchange(own):
    for command in (["generate_assignment", ASSIGNMENT, "--force"], ["release_assignment", ASSIGNMENT]):
        done = commands.nbgrader(*command, root=own.root)
        assert done.returncode == 0, done.stderr[-2000:]
    exchange = own.root / ".coursekit" / "exchange"
    assert list(exchange.rglob(f"{ASSIGNMENT}.ipynb"))
    assert leaks(own.root / "release", exchange) == []


def test_a_link_in_a_release_reaches_neither_the_exchange_nor_the_student(own):
    """Nobody of ours puts one there; a person may."""
    (own.release(ASSIGNMENT) / "known.py").symlink_to("../../hidden/linear-regression/mistakes.py")
    done = commands.nbgrader("release_assignment", ASSIGNMENT, root=own.root)
    assert done.returncode != 0
    assert f"release/{ASSIGNMENT}/known.py: it is a link into hidden/" in done.stderr
    assert not list((own.root / ".coursekit").rglob("known.py"))
    with pytest.raises(CourseError, match="it is a link into hidden/"):
        student_workspace.update(own)
    assert not list(student_workspace.folder(own).rglob("known.py"))


LINKS = {
    "a module": ("known.py", "../../hidden/linear-regression/mistakes.py"),
    "a recording, by another link": ("datasets/more.npz", "../../../hidden/linear-regression/link.npz"),
    "a notebook": ("more.ipynb", "../../hidden/notes.ipynb"),
    "in a folder": ("pictures/notes.txt", "../../../hidden/linear-regression/more/notes.txt"),
    "a folder": ("more", "../../hidden/linear-regression"),
    "all of it": ("more", "../../hidden"),
    "the whole course": ("more", "../.."),
    "a folder with a link": ("more", "../../elsewhere"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_into_it_is_refused_by_our_release_and_followed_by_nobody(own, kind):
    name = link(own, kind)
    before = sorted(path for path in own.root.joinpath("release").rglob("*") if path.is_file())
    with pytest.raises(CourseError, match="it is a link into hidden/, and students would get what is there") as told:
        release.release(own, ASSIGNMENT)
    assert told.value.where == f"source/{ASSIGNMENT}/{name}"
    with pytest.raises(CourseError, match="link into hidden/"):
        release.stale(own, ASSIGNMENT)
    with pytest.raises(CourseError, match="link into hidden/"):
        own.trusted_files(ASSIGNMENT)
    assert sorted(path for path in own.root.joinpath("release").rglob("*") if path.is_file()) == before
    assert leaks(own.root / "release") == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("a module", []),
        ("a module", [f"--notebook={ASSIGNMENT}"]),
        ("a notebook", []),
        ("a folder", []),
        ("a folder with a link", []),
    ],
)
def test_a_link_into_it_is_refused_by_stock_nbgrader(own, kind, options):
    """Which copies first and only then runs any step of ours; with one notebook it would leave what it has copied."""
    name = link(own, kind)
    done = commands.nbgrader("generate_assignment", ASSIGNMENT, "--force", *options, root=own.root)
    assert done.returncode != 0
    assert f"source/{ASSIGNMENT}/{name}: it is a link into hidden/" in done.stderr
    assert "Traceback" not in done.stderr
    assert (own.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").is_file(), "the earlier release is gone"
    assert leaks(own.root / "release") == []


FORMGRADER = """
import json
from nbgrader.apps import NbGrader, NbGraderAPI
app = NbGrader()
app.initialize([])
done = NbGraderAPI(coursedir=app.coursedir, parent=app).generate_assignment("linear-regression", force=True)
print(json.dumps([done["success"], done.get("error", "") + done.get("log", "")]))
"""


def test_so_it_is_by_the_formgraders_button(own):
    link(own, "a module")
    done = commands.run(FORMGRADER, root=own.root)
    assert done.returncode == 0, done.stderr[-2000:]
    success, told = json.loads(done.stdout.splitlines()[-1])
    assert not success
    assert "it is a link into hidden/" in told
    assert leaks(own.root / "release") == []


def link(course: Course, kind: str) -> str:
    name, target = LINKS[kind]
    (course.hidden(ASSIGNMENT) / "link.npz").symlink_to(course.hidden(ASSIGNMENT) / "recorded.npz")
    (course.root / "elsewhere" / "deep").mkdir(parents=True)
    (course.root / "elsewhere" / "deep" / "link").symlink_to("../../hidden")
    path = course.folder(ASSIGNMENT) / name
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)
    assert path.exists()
    return name


# --- the option shared_files -----------------------------------------------------------------------------------

NAMES = [
    "hidden", "hidden/", "./hidden", "hidden/.", "Hidden", f"hidden/{ASSIGNMENT}", f"hidden/{ASSIGNMENT}/mistakes.py",
    "helpers/../hidden", "helpers/../hidden/sizes.py", "../course/hidden", ".", "./", "helpers/..", "/", "submitted",
    "gradebook.db", "nbgrader_config.py", ".coursekit",
]  # fmt: skip


def share(course: Course, name: str) -> None:
    path = course.root / settings.CONFIG
    text = path.read_text(encoding="utf-8")
    path.write_text(text + f"c.CourseKit.shared_files += [{name!r}]\n", encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_file_that_names_it_is_refused(own, name):
    share(own, name)
    for use in (lambda: settings.facts(own.root), lambda: release.release(own, ASSIGNMENT)):
        with pytest.raises(CourseError, match="cannot be handed out with every assignment") as told:
            use()
        assert told.value.where == "nbgrader_config.py: CourseKit.shared_files"
    assert leaks(own.root / "release") == []


def test_so_it_is_by_stock_nbgrader(own):
    share(own, "helpers/../hidden")
    done = commands.nbgrader("generate_assignment", ASSIGNMENT, "--force", root=own.root)
    assert done.returncode != 0
    assert "cannot be handed out with every assignment" in done.stderr
    assert not (own.release(ASSIGNMENT) / "hidden").exists()


SHARED_LINKS = {
    "a folder": ("extras", "hidden", "extras"),
    "a folder of one assignment": ("extras", "hidden/linear-regression", "extras"),
    "a file": ("extra.py", "hidden/sizes.py", "extra.py"),
    "a file in a shared folder": ("helpers/extra.py", "../hidden/sizes.py", ""),
    "a file behind a link": ("extras", "hidden", "extras/sizes.py"),
}


@pytest.mark.parametrize("kind", SHARED_LINKS)
def test_a_shared_file_that_is_a_link_into_it_is_refused(own, kind):
    name, target, shared = SHARED_LINKS[kind]
    (own.root / name).symlink_to(target)
    if shared:
        share(own, shared)
    with pytest.raises(CourseError, match="it is a link into hidden/"):
        release.release(own, ASSIGNMENT)
    if kind in ("a folder", "a file in a shared folder"):
        done = commands.nbgrader("generate_assignment", ASSIGNMENT, "--force", root=own.root)
        assert done.returncode != 0
        assert "it is a link into hidden/" in done.stderr
    assert leaks(own.root / "release") == []


# --- the sandbox, and what comes out of a grading ----------------------------------------------------------------

SEEK = """
import hashlib, os, sys
CANARY = ("canary-of-the-" + "hidden-folder-7203").encode()
FOUND, LOOKED = [], [0, 0]
def look(path, all_of_it):
    size = os.lstat(path).st_size
    if os.path.islink(path) or not os.path.isfile(path) or not (size in SIZES or all_of_it and size < 1 << 22):
        return
    with open(path, "rb") as file:
        data = file.read()
    LOOKED[1] += 1
    if CANARY in data or hashlib.sha256(data).hexdigest() in DIGESTS:
        FOUND.append(path)
for top, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(top, name) not in SKIPPED and name not in SKIPPED]
    system = top.startswith("/usr/") or "site-packages" in top  # there only what has the size of a hidden file is read
    FOUND += [os.path.join(top, name) for name in folders + files if name == "hidden" and not system]
    for name in files:
        LOOKED[0] += 1
        try:
            look(os.path.join(top, name), not system)
        except OSError:
            pass
for name in ("/proc/mounts", "/proc/self/mountinfo", "/proc/self/mountstats", "/proc/self/maps", "/proc/1/mountinfo"):
    try:
        with open(name) as file:
            FOUND += [line for line in file if "hid" + "den" in line or COURSE in line]
    except OSError:
        pass
for name in MODULES:
    try:
        __import__(name)
        FOUND.append(name)
    except ImportError:
        pass
for path in PATHS:
    for way in (path, "/proc/self/root" + path, "/proc/1/root" + path, "/proc/self/cwd/" + path):
        for action in (os.stat, os.listdir, open):
            try:
                action(way)
                FOUND.append(way)
            except OSError:
                pass
os.symlink(PATHS[0], "door")
FOUND += ["door"] * os.path.exists("door")
print("LOOKED", *[number > 100 for number in LOOKED], "FOUND", FOUND, "END")
"""
FOUND_NOTHING = "LOOKED True True FOUND [] END"
EVERYWHERE = 'SKIPPED = ("/proc", "/sys")\n'  # takes seconds
ELSEWHERE = 'SKIPPED = ("/proc", "/sys", "/usr", "site-packages")\n'  # than in the installed files
# When it is tried, hidden cases are in its process; still there is no file of hidden/, and nothing to say it with.
SEEKS_WHEN_TRIED = """
def predict_line(X, w, b):
    import os
    found = []
    for path in PATHS:
        try: found.append(open(path).read())
        except OSError: pass
    for name in MODULES:
        try: found.append(repr(vars(__import__(name))))
        except ImportError: pass
    if found: raise ValueError("FOUND " + found[0][:100])
    return w.T @ X + b
"""


def known(course: Course) -> str:
    """All that an attacker could wish to know, as code."""
    files = [path for path in (course.root / "hidden").rglob("*") if path.is_file()]
    names = {
        "SIZES": sorted({path.stat().st_size for path in files}),
        "DIGESTS": sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files),
        "MODULES": ["exercises", "mistakes", "equivalents", "demo", "sizes", "hidden", "coursekit", "coursekit.author",
                    "coursekit.reference.table"],
        "PATHS": [str(course.root / "hidden"), *map(str, files), str(course.root / ".coursekit"),
                  "../hidden", "../../hidden", f"../../hidden/{ASSIGNMENT}/exercises.py", "hidden"],
        "COURSE": str(course.root),
    }  # fmt: skip
    return "".join(f"{name} = {value!r}\n" for name, value in names.items())


@needs_walls
def test_student_code_finds_nothing_of_it_in_the_sandbox(marked):
    """Once while its cells run, before all others and behind them, and once while a function of its is tried."""
    with Room(marked, ASSIGNMENT, LIMITS) as room:
        for where, walk in (("start", ELSEWHERE), ("end", EVERYWHERE)):
            answers = {"predict_line": known(marked) + SEEKS_WHEN_TRIED}
            done = room.mark(room.notebook(answers, **{where: known(marked) + walk + SEEK}))
            assert FOUND_NOTHING in printed(done), printed(done)[:3000]
            assert room.marks(done) == room.points, said(done)
            assert leaked(room, done) == set()


@needs_walls
def test_it_is_neither_in_autograded_nor_in_feedback_by_any_command(own):
    with Room(own, ASSIGNMENT) as room:
        theirs = room.notebook({"predict_line": known(own) + SEEKS_WHEN_TRIED}, start=known(own) + ELSEWHERE + SEEK)
    released = (own.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
    for student, notebook in {"eve": nbformat.writes(theirs), "anna": released}.items():
        hand_in(own, student, notebook)
    folder = own.submitted(ASSIGNMENT, "anna")
    for name in ("hidden", "door"):  # a link that would be followed where it is graded
        (folder / name).symlink_to(own.root / "hidden")
    (folder / "mistakes.py").symlink_to(own.hidden(ASSIGNMENT) / "mistakes.py")

    assert not any(one.failed for one in grade.grade(own, ASSIGNMENT, options=GradingOptions(LIMITS)))
    assert all(not page.problem for page in generation.feedback(own, ASSIGNMENT))
    marks = {who.student: sum(mark.earned for mark in who.marks) for who in gradebook.read(own, ASSIGNMENT)}
    assert marks == {"anna": 0.0, "eve": 10.0}
    assert leaks(own.root / "autograded", own.root / "feedback") == []

    assert FOUND_NOTHING in (own.autograded(ASSIGNMENT, "eve") / f"{ASSIGNMENT}.ipynb").read_text()

    for command in ("autograde", "generate_feedback"):
        done = commands.nbgrader(command, ASSIGNMENT, "--force", root=own.root)
        assert done.returncode == 0, done.stderr[-2000:]
    assert FOUND_NOTHING in (own.autograded(ASSIGNMENT, "eve") / f"{ASSIGNMENT}.ipynb").read_text()
    assert leaks(own.root / "autograded", own.root / "feedback") == []


# --- the student's JupyterLab ------------------------------------------------------------------------------------


def test_it_is_not_in_the_students_workspace(marked):
    student_workspace.update(marked)
    assert leaks(student_workspace.folder(marked)) == []
    assert lab_plan.plan(marked, student=True).folder == student_workspace.folder(marked)


def test_the_students_python_imports_nothing_of_it(marked):
    student_workspace.update(marked)
    code = """
found = []
for name in ("exercises", "mistakes", "equivalents", "demo", "sizes", "hidden", "coursekit", "coursekit.author"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
import cases, public_tests
print(found)
"""
    folder = student_workspace.folder(marked) / ASSIGNMENT
    environment = lab_plan.plan(marked, student=True).environment
    command = [str(student_workspace.python(marked)), "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_students_server_gives_none_of_its_files(marked):
    student_workspace.update(marked)
    server = lab_plan.plan(marked, student=True)
    with lab_server.running(server):
        port = int(server.url.rpartition(":")[2])

        def get(path: str) -> tuple[int, bytes]:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            line.request("GET", path, headers={"Authorization": f"token {server.token}"})
            answer = line.getresponse()
            told = answer.status, answer.read()
            line.close()
            return told

        status, shown = get(f"/files/{ASSIGNMENT}/cases.py")
        assert status == 200
        assert b"EXERCISES" in shown
        inside = f"hidden/{ASSIGNMENT}/exercises.py"
        for up in ("", "../../", "../../../", "%2e%2e/%2e%2e/", "..%2f..%2f", f"{ASSIGNMENT}/../../../", "//", "/" * 5):
            for door in ("/files/", "/api/contents/", "/static/", "/nbconvert/html/", "/view/"):
                for path in (f"{up}{inside}", f"{up}{marked.root}/{inside}"):
                    status, shown = get(f"{door}{path}")
                    assert status >= 300, (door, path)
                    assert CANARY.encode() not in shown


# --- what a worker of a cluster leaves on its disk -----------------------------------------------------------------

WORKER = """
import sys
from pathlib import Path
from coursekit.grading.cluster import wire_format, worker
course, submission = (Path(name).read_bytes() for name in sys.argv[1:])
print("asks", flush=True)
answer = worker.examine(course, submission, worker.engine_digest(), 1)
print(wire_format.decode(answer)[0].get("student"), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def packed(marked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    (folder / "course").write_bytes(payload.of_course(marked, ASSIGNMENT))
    (folder / "order").write_bytes(payload.of_submission(marked, ASSIGNMENT, "nobody", LIMITS, "auto"))
    return str(folder / "course"), str(folder / "order")


class Worker:
    """What a Dask worker does, without Dask: it asks a worker process, whose folder lies in ``disk``."""

    def __init__(self, disk: Path, packed: tuple[str, str]) -> None:
        self.disk = disk
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, *packed], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=os.environ | {"TMPDIR": str(disk)},
        )  # fmt: skip
        assert self.process.stdout.readline() == "asks\n"

    def graded(self) -> None:
        assert self.process.stdout.readline() == "nobody\n"

    def family(self, part: str) -> set[int]:
        """The processes below the worker in whose command line that stands."""
        return {pid for pid in descendants(self.process.pid) if part in _command(pid)}

    def close(self) -> None:
        for pid in (*descendants(self.process.pid), self.process.pid):
            _kill(pid)
        ended(self.process)
        self.process.stdin.close()
        self.process.stdout.close()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _kill(pid: int) -> None:
    if pid in parents():
        try:
            kill(pid)
        except ProcessLookupError:
            return


@pytest.fixture
def worker(tmp_path, packed):
    begun = []

    def begin() -> Worker:
        begun.append(Worker(tmp_path, packed))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def _unpacked(disk: Path) -> bool:
    return any(disk.glob(f"coursekit-desk-*/course/hidden/{ASSIGNMENT}/exercises.py"))


ENDS = {
    "it has nothing more to do": lambda one: one.process.stdin.close(),
    "it is told to end": lambda one: one.process.send_signal(signal.SIGTERM),
    "it is killed": lambda one: kill(one.process.pid),
    "worker process is killed": lambda one: [kill(pid) for pid in one.family("cluster.worker_process")],
    "both are killed, the worker process first": lambda one: [
        kill(pid) for pid in (*one.family("cluster.worker_process"), one.process.pid)
    ],
    "its group is killed": lambda one: [
        kill(pid)
        for pid in (one.process.pid, *one.family("cluster.worker_process"), *one.family("coursekit.reference"))
    ],
}


@needs_walls
@pytest.mark.parametrize("end", ENDS)
def test_a_worker_leaves_nothing_on_its_disk(worker, tmp_path, end):
    one = worker()
    one.graded()
    assert _unpacked(tmp_path)
    family = descendants(one.process.pid)
    ENDS[end](one)
    until(lambda: not list(tmp_path.iterdir()), "an empty disk")
    if "worker process" not in end or "both" in end:
        until(lambda: not family & set(parents()), "the end of all its processes")
    assert list(tmp_path.iterdir()) == []


@needs_walls
@pytest.mark.parametrize("patience", range(3))
def test_one_that_is_killed_while_it_unpacks_leaves_nothing_either(worker, tmp_path, patience):
    """Who removes the folder must not be overtaken by who still writes into it."""
    signs = ("coursekit-desk-*", "coursekit-desk-*/course", f"coursekit-desk-*/course/hidden/{ASSIGNMENT}")
    one = worker()
    until(lambda: list(tmp_path.glob(signs[patience])), "the folder")
    family = descendants(one.process.pid)
    kill(one.process.pid)
    until(lambda: not family & set(parents()), "the end of all its processes")
    assert list(tmp_path.iterdir()) == []


@needs_walls
def test_what_nobody_could_remove_the_next_worker_does(worker, tmp_path):
    """A batch system kills everything at once: then the folder stays, until a worker begins there again."""
    one, other = worker(), worker()
    one.graded()
    other.graded()
    family = descendants(one.process.pid)
    for pid in (*one.family("cat; "), one.process.pid, *family):
        _kill(pid)
    until(lambda: not family & set(parents()), "the end of all its processes")
    assert len(list(tmp_path.glob("coursekit-desk-*"))) == 2
    third = worker()
    third.graded()
    assert len(list(tmp_path.glob("coursekit-desk-*"))) == 2, "the one in use stays, and there is the new one"
    assert unpacked_courses(tmp_path) == 2


def unpacked_courses(disk: Path) -> int:
    return sum((folder / "course" / "hidden").is_dir() for folder in disk.glob("coursekit-desk-*"))


def test_the_pack_of_a_course_has_no_other_assignments_secrets(course):
    """What a worker need not have it does not get."""
    _, files = wire_format.decode(payload.of_course(course, "step-by-step"))
    hidden = {name for name in files if name.startswith("hidden/")}
    assert "hidden/step-by-step/exercises.py" in hidden
    assert not [name for name in hidden if name.startswith(("hidden/digits", "hidden/application"))]

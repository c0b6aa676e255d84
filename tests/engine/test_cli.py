"""The command line as people use it: help, bad input in one line, exit codes, and every command of the README."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.grading import gradebook, lock, registration, roster
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from selfcheck import recordings
from tests import classroom, commands, toy
from tests.classroom import ROOT
from tests.commands import coursekit
from tests.toy import ASSIGNMENT, hand_in

COMMANDS = ("release", "record", "check", "grade", "feedback", "marks", "report", "return", "upgrade", "doctor", "demo",
            "lab")  # fmt: skip
# Commands of the README that have a proof of their own: CI runs the first two, tests/course the labs in a real browser.
# By CI itself (record by test_recording: it trains hundreds of networks), or in a browser; `doctor` is proved below.
PROVED_ELSEWHERE = {
    "./course test", "./course check --fix", "./course record", "./course lab", "./course lab --student",
    "./course doctor",
}  # fmt: skip


def python(*arguments: str, root: Path, **environment: str) -> subprocess.CompletedProcess:
    """A Python that starts from nothing."""
    given = os.environ | commands.COLUMNS | environment
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=given, capture_output=True, text=True, encoding="utf-8", check=False
    )


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture
def scratch(tmp_path) -> Course:
    """A toy course for one test."""
    return toy.toy_course(tmp_path / "course")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Course:
    """A course in which nobody has handed anything in; for commands that change nothing."""
    course = toy.toy_course(tmp_path_factory.mktemp("untouched") / "course")
    (course.root / "gradebook.db").unlink()  # a release has made it
    return course


def test_help_names_every_command():
    said = python("-m", "coursekit", "--help", root=ROOT)
    assert said.returncode == 0
    for command in (*COMMANDS, "test"):
        assert command in said.stdout


def test_help_pays_for_no_import_that_it_does_not_use():
    """`--help` answers in a moment because what a command needs is imported when the command is called."""
    slow = {"numpy", "h5py", "nbformat", "nbconvert", "sqlalchemy", "IPython", "matplotlib", "jinja2"}
    source = "import sys\nimport coursekit.cli.app\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = python("-c", source, root=ROOT)
    assert "typer" in done.stdout.split()
    assert set(done.stdout.split()) & slow == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command):
    said = coursekit(command, "--help", root=ROOT)
    assert said.returncode == 0
    assert "Usage:" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["grade", "linear-regresion"],
            1,
            "linear-regresion: there is no such assignment; choose one of: linear-regression",
        ),
        (["marks", "nothing"], 1, "there is no such assignment"),
        (["grade"], 2, "Missing argument"),
        (["marks", "--csv", "nowhere/marks.csv"], 1, "nowhere/marks.csv: this is no place for a file"),
        (["report", ASSIGNMENT, "--csv", "source"], 1, "source: this is no place for a file"),
        (["marks", "--excel"], 2, "it says how the file of --csv is written"),
        (["marks", "--export", "-"], 2, "it needs the name of a file"),
        (["grade", f"{ASSIGNMENT}/"], 1, "no submissions found"),
        (
            ["grade", f"submitted/anna/{ASSIGNMENT}/"],
            1,
            "this is a path and not the name of an assignment; write `linear-regression --student anna`",
        ),
        (["release", f"source/{ASSIGNMENT}"], 1, "this is a path and not the name of an assignment"),
        (["marks", "--cvs", "x"], 2, "No such option: --cvs (Possible options: --csv)"),
        (["mraks"], 2, "No such command 'mraks'. Did you mean 'marks'?"),
        (["grade", ASSIGNMENT, "--timeout", "0"], 2, "Invalid value for '--timeout'"),
        (["grade", ASSIGNMENT, "--sandbox", "paper"], 2, "'paper' is not one of 'auto', 'none'"),
        (["grade", ASSIGNMENT, "--jobs", "-1"], 2, "Invalid value for '--jobs'"),
        (["report", "nothing"], 1, "there is no such assignment"),
        (["fly"], 2, "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_clear_line(untouched, arguments, code, said):
    done = coursekit(*arguments, root=untouched.root)
    assert done.returncode == code
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Traceback" not in done.stderr + done.stdout


def test_a_command_that_a_message_names_can_be_typed_as_it_stands_there(untouched):
    """Who follows the README has no `coursekit` on the PATH."""
    done = coursekit("marks", root=untouched.root, COURSE_CALLED_AS="./course")
    assert done.stderr == "gradebook.db: there is no gradebook yet; run `./course grade linear-regression` first\n"
    assert "Usage: ./course grade " in coursekit("grade", "--help", root=ROOT, COURSE_CALLED_AS="./course").stdout


def test_outside_a_course_the_message_says_what_to_do(tmp_path):
    done = coursekit("marks", root=tmp_path, COURSE_ROOT=str(tmp_path))
    assert done.returncode == 1
    assert "this is not a course directory" in done.stderr


def test_our_own_failure_is_told_as_ours_with_a_log(untouched):
    bug = (
        "import sys; from coursekit.cli import app; from coursekit.grading import roster; "
        "roster.require_gradebook = lambda *_: 1 / 0; sys.exit(app.main())"
    )
    done = commands.run(bug, "marks", root=untouched.root)
    assert done.returncode == 3
    assert "this is our fault, see" in done.stderr
    assert "Traceback" not in done.stderr
    log = Path(done.stderr.rpartition("see ")[2].strip())
    assert "Traceback" in log.read_text(encoding="utf-8")
    log.unlink()


def test_a_gradebook_that_is_none_is_told_with_a_way_out(scratch):
    (scratch.root / "gradebook.db").write_text("this is no database")
    done = coursekit("marks", root=scratch.root)
    assert done.returncode == 1
    assert re.fullmatch(
        r"gradebook\.db: it cannot be used \(file is not a database\); restore it from a backup, or move it away\n",
        done.stderr,
    )


def test_doctor_tests_every_isolation_layer(scratch):
    """CI proves here that its computer has a sandbox."""
    done = coursekit("doctor", root=scratch.root)
    assert done.returncode == 0, done.stdout
    assert re.search(r"(\d+) of \1 isolation layers are active", done.stdout)


# What a command says, with exit code 1, where it has nothing to show. Those that are not here always have something.
NOTHING_TO_SHOW = {
    f"grade {ASSIGNMENT}": f"submitted/*/{ASSIGNMENT}: no submissions found; "
    f"put each student's notebook into submitted/<student>/{ASSIGNMENT}/",
    f"grade {ASSIGNMENT} --dry-run": f"submitted/*/{ASSIGNMENT}: no submissions found; "
    f"put each student's notebook into submitted/<student>/{ASSIGNMENT}/",
    f"grade {ASSIGNMENT} -s eve": f"submitted/eve/{ASSIGNMENT}: there is no such submission; check the student's id",
    f"feedback {ASSIGNMENT}": f"{ASSIGNMENT}: nobody was graded yet; run `coursekit grade {ASSIGNMENT}` first",
    f"feedback {ASSIGNMENT} -s eve": f"submitted/eve/{ASSIGNMENT}: there is no such submission; check the student's id",
    f"report {ASSIGNMENT}": f"{ASSIGNMENT}: nobody was graded yet; run `coursekit grade {ASSIGNMENT}` first",
    "marks": f"gradebook.db: there is no gradebook yet; run `coursekit grade {ASSIGNMENT}` first",
    f"marks {ASSIGNMENT}": f"gradebook.db: there is no gradebook yet; run `coursekit grade {ASSIGNMENT}` first",
    "grade nothing": "nothing: there is no such assignment; choose one of: linear-regression",
    "lab nothing": "nothing: there is no such assignment; choose one of: linear-regression",
    "release nothing": "nothing: there is no such assignment; choose one of: linear-regression",
}
# Runs commands, one after the other; reports of each how it ended, and in the end what was imported for them.
# nbgrader's API alone takes a second.
WATCHED = """\
import io, json, sys
from contextlib import redirect_stderr
from coursekit.cli import app as cli
ended = {}
for command in sys.argv[1:]:
    sys.argv = ["coursekit", *command.split()]
    with redirect_stderr(io.StringIO()) as said:
        try:
            cli.main()
        except SystemExit as how:
            ended[command] = [how.code, said.getvalue()]
heavy = {"nbgrader.api", "nbgrader.utils", "nbgrader.apps", "sqlalchemy", "nbconvert", "nbformat", "IPython", "numpy"}
print(json.dumps([ended, sorted(heavy & set(sys.modules))]))
"""


def test_where_there_is_nothing_to_show_that_is_said_before_anything_heavy_is_imported(untouched):
    done = python("-c", WATCHED, *NOTHING_TO_SHOW, root=untouched.root)
    ended, imported = json.loads(done.stdout)
    assert ended == {command: [1, f"{said}\n"] for command, said in NOTHING_TO_SHOW.items()}
    assert imported == []


def test_who_comes_while_somebody_is_grading_is_told_so_at_once(scratch):
    hand_in(scratch, "sam", "{}")
    command = f"grade {ASSIGNMENT}"
    with lock.held(scratch, ASSIGNMENT):
        done = python("-c", WATCHED, command, root=scratch.root)
    lock.check_free(scratch, ASSIGNMENT)
    ended, imported = json.loads(done.stdout)
    assert ended[command][0] == 1
    assert f"{ASSIGNMENT}: somebody is grading in this course: process {os.getpid()}, " in ended[command][1]
    assert imported == []


def test_what_a_killed_grader_has_left_behind_locks_nobody_out(scratch):
    (scratch.root / ".coursekit").mkdir(exist_ok=True)
    (scratch.root / ".coursekit" / "grading.lock").touch()
    (scratch.root / ".coursekit" / "grading.txt").write_text("process 1, digits, since 10:00:00\n")
    lock.check_free(scratch, ASSIGNMENT)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory) -> Course:
    """A course whose gradebook holds a student whom nobody has judged; one more has handed in."""
    course = toy.toy_course(tmp_path_factory.mktemp("unfinished") / "course")
    toy.add_assignment(course, "other")
    registration.register(course, ASSIGNMENT)
    with gradebook.opened(course) as book:
        book.add_student("zoë")
        book.add_submission(ASSIGNMENT, "zoë")
    hand_in(course, "学生", "{}")
    return course


SPELT = ("zo\\xeb", "handed in, but not graded: \\u5b66\\u751f;", "- not graded")
SLOPE = "dw = 2 / m * (X @ error.T)"
IN_FILE = ["marks", ASSIGNMENT, "--csv", "marks.csv", "--excel"]


def in_the_c_locale(root: Path) -> tuple[int, bytes, bytes]:
    """From nothing: Python starts again there, in UTF-8."""
    settings = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict", "COLUMNS": "60"}
    command = [sys.executable, "-m", "coursekit", *IN_FILE]
    done = subprocess.run(command, cwd=root, env=os.environ | settings, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def in_western_europe(root: Path) -> tuple[int, bytes, bytes]:
    done = coursekit(*IN_FILE, root=root, PYTHONUTF8="", PYTHONIOENCODING="cp1252", COLUMNS="60")
    return done.returncode, done.raw, done.stderr.encode()


@pytest.mark.parametrize(
    ("run", "encoding", "told"),
    [(in_the_c_locale, "ascii", SPELT), (in_western_europe, "cp1252", ("zoë", SPELT[1], "– not graded"))],
)
def test_what_the_terminal_cannot_write_is_spelt(unfinished, run, encoding, told):
    """This was a UnicodeEncodeError, told as a fault of ours."""
    code, out, err = run(unfinished.root)
    said = out.decode(encoding)
    assert (code, err) == (0, b"")
    for words in told:
        assert words in said
    assert max(map(len, said.splitlines()[1:-1])) <= 60
    assert (unfinished.root / "marks.csv").read_bytes().startswith("\ufeffstudent,assignment,".encode())
    assert "zoë" in (unfinished.root / "marks.csv").read_text(encoding="utf-8-sig")


def test_marks_can_be_piped_as_csv(unfinished):
    """With - nothing but the file is on the standard output, in UTF-8 whatever the terminal takes."""
    done = coursekit("marks", ASSIGNMENT, "--csv", "-", root=unfinished.root, PYTHONIOENCODING="ascii")
    header, zoe, other = done.raw.decode("utf-8").splitlines()
    assert done.returncode == 0
    assert header.startswith("student,assignment,")
    assert zoe.startswith("zoë,linear-regression,")
    assert ",not graded," in other
    assert done.stderr.startswith("linear-regression: handed in, but not graded: ")
    assert not (unfinished.root / "-").exists()


def test_a_gradebook_without_marks_is_nothing_to_show(unfinished):
    """`report` ended with 0 here, and `marks` with 0 and an empty file."""
    done = coursekit("marks", "other", "--csv", "empty.csv", root=unfinished.root)
    assert done.returncode == 1
    assert done.stderr == "other: nobody was graded yet; run `coursekit grade other` first\n"
    assert not (unfinished.root / "empty.csv").exists()


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("nobody", f"submitted/nobody/{ASSIGNMENT}: there is no such submission; check the student's id"),
        ("学生", f"{ASSIGNMENT}: 学生 was not graded yet; run `coursekit grade {ASSIGNMENT}` first"),
        (
            "zoë",
            f"{ASSIGNMENT}: zoë handed in nothing, so that there is no page;"
            f" `coursekit marks {ASSIGNMENT}` shows who is absent",
        ),
    ],
)
def test_of_whom_there_is_no_page_it_is_said_why(unfinished, student, said):
    with pytest.raises(CourseError, match=f"^{re.escape(said)}$"):
        roster.graded(unfinished, ASSIGNMENT, [student])


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["-n", "0", "--help"]])
def test_the_help_of_test_is_our_own(arguments):
    said = coursekit("test", *arguments, root=ROOT)
    assert (said.returncode, said.stderr) == (0, "")
    assert "test [PYTEST ARGUMENTS]..." in said.stdout
    assert "test -- --help" in said.stdout
    assert len(said.stdout.splitlines()) < 20


def test_what_stands_behind_two_hyphens_reaches_pytest():
    said = coursekit("test", "--", "--help", root=ROOT)
    assert said.returncode == 0
    assert "usage: " in said.stdout
    assert "--collect-only" in said.stdout


def test_ctrl_c_ends_a_command_with_one_line(untouched):
    """Wherever it comes: here while the gradebook is being read."""
    stop = "lambda *_: signal.raise_signal(signal.SIGINT)"
    stopped = f"import coursekit.grading.roster as s, signal\ns.require_gradebook = {stop}\n"
    done = commands.run(f"{stopped}from coursekit.cli import app\napp.main()", "marks", root=untouched.root)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_a_release_that_is_not_fresh_is_told_and_made_again(scratch):
    toy.add_assignment(scratch, "other")
    for folder in (scratch.folder, scratch.hidden):
        shutil.copyfile(folder(ASSIGNMENT) / recordings.NAME, folder("other") / recordings.NAME)
    assert coursekit("release", "other", root=scratch.root).returncode == 0
    released = scratch.release(ASSIGNMENT) / "public_tests.py"
    fresh = released.read_bytes()
    released.write_bytes(fresh + b"# changed\n")
    told = coursekit("release", "--check", root=scratch.root)
    assert (told.returncode, "not fresh: public_tests.py" in told.stdout) == (1, True)
    (scratch.release(ASSIGNMENT) / "left over.txt").write_text("x")
    made = coursekit("release", root=scratch.root)
    assert made.stdout.startswith(f"release/{ASSIGNMENT}: wrote left over.txt, public_tests.py\n")
    assert made.stdout.count("nothing to do, it is fresh") == 1
    assert released.read_bytes() == fresh
    assert coursekit("release", "--check", root=scratch.root).returncode == 0


def test_a_recording_that_is_not_fresh_is_told(scratch):
    source = scratch.source(ASSIGNMENT)
    text = source.read_text(encoding="utf-8")
    assert SLOPE in text
    source.write_text(text.replace(SLOPE, SLOPE.replace("2 / m", "2")), encoding="utf-8")
    told = coursekit("record", "--check", ASSIGNMENT, root=scratch.root)
    assert told.returncode == 1
    where = f"source/{ASSIGNMENT}/recorded.npz: slopes/example"
    assert f"{where}: other numbers; run `coursekit record {ASSIGNMENT}`" in told.stdout
    made = coursekit("record", ASSIGNMENT, root=scratch.root)
    files = f"source/{ASSIGNMENT}/recorded.npz, hidden/{ASSIGNMENT}/recorded.npz"
    assert (made.returncode, made.stdout.splitlines()[-1]) == (0, f"{ASSIGNMENT}: recorded {files}")
    assert "slopes:not-averaged: 'dw = 2 / m' is 0 times in the solution cell" in made.stdout
    told = coursekit("record", ASSIGNMENT, "--check", root=scratch.root)
    assert (told.returncode, told.stdout) == (0, "the recordings are fresh\n")


@pytest.fixture
def checkout(tmp_path) -> Course:
    """A copy of the whole checkout, documents included."""
    ignored = shutil.ignore_patterns(".git", ".venv*", ".coursekit", "__pycache__", ".*_cache", "submitted", "*.db")
    return Course(shutil.copytree(ROOT, tmp_path / "checkout", ignore=ignored))


def test_check_looks_for_the_commands_of_this_very_command_line(tmp_path):
    """The docs are held against the command line by the command line: checks know none by themselves."""
    scratch = toy.toy_course(tmp_path / "course")
    (scratch.root / "README.md").write_text("`./course check --fix` and `./course chekc`\n", encoding="utf-8")
    found = [line for line in coursekit("check", "--quick", root=scratch.root).stdout.splitlines() if "D405" in line]
    assert found == ["README.md[line 1]: there is no command `chekc`; see `./course --help`  (D405)"]


def test_the_day_of_an_instructor(checkout, solved):
    """Every command of the README's tour in its order, with one submission; the last one's table is read."""
    scratch, assignment = checkout, classroom.ASSIGNMENT
    classroom.hand_in(scratch, "sam", solved)
    tour = [command for command in readme_commands() if command not in PROVED_ELSEWHERE | {"./course demo"}]
    assert len(tour) >= 6
    for command in tour:
        program, *arguments = command.split()
        assert program == "./course", command
        done = coursekit(*arguments, root=scratch.root)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert ",100,100,final," in (scratch.root / "marks.csv").read_text(encoding="utf-8").splitlines()[1]
    assert (scratch.feedback(assignment, "sam") / f"{assignment}.html").is_file()
    table = coursekit("marks", root=scratch.root).stdout
    assert re.search(r"sam\s*│\s*5\s*│\s*10\s*│.*│\s*100\s*│", table)


def test_the_readme_names_no_command_that_nobody_proves():
    assert PROVED_ELSEWHERE | {"./course demo"} <= set(readme_commands())

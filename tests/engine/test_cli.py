"""The command line as people use it: help, bad input in one line, exit codes, and every command of the README."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.course import Course
from tests.classroom import ASSIGNMENT, ROOT, hand_in

COMMANDS = ("release", "record", "check", "grade", "feedback", "marks", "report", "doctor", "demo", "lab")
# Commands of the README that have a proof of their own: CI runs the first two, tests/course the labs in a real browser.
PROVED_ELSEWHERE = {"./course test", "./course check --fix", "./course lab", "./course lab --student"}


def coursekit(*arguments: str, root: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    """Run a command as a person would, in ``root``."""
    return subprocess.run(
        [sys.executable, "-m", "coursekit", *arguments],
        cwd=root or ROOT,
        env=os.environ | {"COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_help_names_every_command():
    said = coursekit("--help")
    assert said.returncode == 0
    for command in (*COMMANDS, "test"):
        assert command in said.stdout


def test_help_pays_for_no_import_that_it_does_not_use():
    """`--help` answers in a moment because what a command needs is imported when the command is called."""
    slow = {"numpy", "h5py", "nbformat", "nbgrader", "sqlalchemy", "IPython", "matplotlib", "hidden_tests", "jinja2"}
    source = "import sys\nfrom coursekit import cli\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & slow == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command):
    said = coursekit(command, "--help")
    assert said.returncode == 0
    assert "Usage:" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["grade", "step-by-stpe"],
            1,
            "step-by-stpe: there is no such assignment; choose one of: step-by-step",
        ),
        (
            ["grade", ASSIGNMENT],
            1,
            "no submissions found; put each student's notebook into submitted/<student>/",
        ),
        (
            ["grade", ASSIGNMENT, "--student", "nobody"],
            1,
            "there is no such submission; check the student's id",
        ),
        (["feedback", ASSIGNMENT], 1, "nobody was graded yet; run `coursekit grade step-by-step` first"),
        (["marks"], 1, "there is no gradebook yet; run `coursekit grade step-by-step` first"),
        (["marks", "nothing"], 1, "there is no such assignment"),
        (["grade"], 2, "Missing argument"),
        (["marks", "--csv", "nowhere/marks.csv"], 1, "there is no gradebook yet"),
        (["grade", ASSIGNMENT, "--timeout", "0"], 2, "Invalid value for '--timeout'"),
        (["grade", ASSIGNMENT, "--sandbox", "paper"], 2, "'paper' is not one of 'auto', 'none'"),
        (["grade", ASSIGNMENT, "--jobs", "-1"], 2, "Invalid value for '--jobs'"),
        (["grade", ASSIGNMENT, "--dry-run"], 1, "no submissions found"),
        (["report", "nothing"], 1, "there is no such assignment"),
        (["fly"], 2, "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_clear_line(scratch, arguments, code, said):
    done = coursekit(*arguments, root=scratch.root)
    assert done.returncode == code
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Traceback" not in done.stderr + done.stdout


def test_a_command_that_a_message_names_can_be_typed_as_it_stands_there(scratch):
    """Who follows the README has no `coursekit` on the PATH."""
    done = coursekit("marks", root=scratch.root, COURSE_CALLED_AS="./course")
    assert done.stderr == "gradebook.db: there is no gradebook yet; run `./course grade step-by-step` first\n"
    assert "Usage: ./course grade " in coursekit("grade", "--help", COURSE_CALLED_AS="./course").stdout


def test_outside_a_course_the_message_says_what_to_do(tmp_path):
    done = coursekit("marks", root=tmp_path, COURSE_ROOT=str(tmp_path))
    assert done.returncode == 1
    assert "this is not a course directory" in done.stderr


def test_our_own_failure_is_told_as_ours_with_a_log(scratch):
    bug = "import sys; from coursekit import cli, gradebook; gradebook.read = lambda *_: 1 / 0; sys.exit(cli.main())"
    command = [sys.executable, "-c", bug, "marks"]
    done = subprocess.run(command, cwd=scratch.root, capture_output=True, text=True, check=False)
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


def test_doctor_proves_every_wall(scratch):
    """This is where CI says that the machine it runs on has a sandbox at all."""
    done = coursekit("doctor", root=scratch.root)
    assert done.returncode == 0, done.stdout
    assert re.search(r"(\d+) of \1 walls stand", done.stdout)


def test_a_class_report_before_any_grading_says_what_to_do(scratch):
    done = coursekit("report", ASSIGNMENT, root=scratch.root)
    assert done.returncode == 0
    assert "nobody was graded yet; run `coursekit grade step-by-step`" in done.stdout


def test_a_release_that_is_not_fresh_is_told_and_made_again(scratch):
    released = scratch.release(ASSIGNMENT) / "dnn_utils.py"
    fresh = released.read_bytes()
    released.write_bytes(fresh + b"# changed\n")
    told = coursekit("release", "--check", root=scratch.root)
    assert (told.returncode, "not fresh: dnn_utils.py" in told.stdout) == (1, True)
    (scratch.release(ASSIGNMENT) / "left over.txt").write_text("x")
    made = coursekit("release", root=scratch.root)
    assert made.stdout.startswith("release/step-by-step: wrote dnn_utils.py, left over.txt\n")
    assert made.stdout.count("nothing to do, it is fresh") == 2
    assert released.read_bytes() == fresh
    assert coursekit("release", "--check", root=scratch.root).returncode == 0


def test_a_recording_that_is_not_fresh_is_told_and_made_again(scratch):
    source = scratch.source(ASSIGNMENT)
    source.write_text(
        source.read_text(encoding="utf-8").replace("np.sum(losses) / m", "np.sum(losses)"), encoding="utf-8"
    )
    told = coursekit("record", "--check", root=scratch.root)
    assert told.returncode == 1
    assert "public_tests.h5: step-by-step/compute_cost/example: other numbers; run `coursekit record`" in told.stdout
    assert "public_tests.h5, hidden_tests.h5" in coursekit("record", root=scratch.root).stdout


@pytest.fixture
def checkout(tmp_path) -> Course:
    """A copy of the whole checkout, documents included."""
    ignored = shutil.ignore_patterns(".git", ".venv*", ".coursekit", "__pycache__", ".*_cache", "submitted", "*.db")
    return Course(shutil.copytree(ROOT, tmp_path / "checkout", ignore=ignored))


def test_the_day_of_an_instructor(checkout, solved):
    """Every command of the README's tour in its order, with one submission; the last one's table is read."""
    scratch = checkout
    hand_in(scratch, "sam", solved)
    commands = [command for command in readme_commands() if command not in PROVED_ELSEWHERE | {"./course demo"}]
    assert len(commands) >= 7
    for command in commands:
        program, *arguments = command.split()
        assert program == "./course", command
        done = coursekit(*arguments, root=scratch.root)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert (scratch.root / "marks.csv").read_text(encoding="utf-8").splitlines()[1].endswith(",100,100")
    assert (scratch.feedback(ASSIGNMENT, "sam") / f"{ASSIGNMENT}.html").is_file()
    table = coursekit("marks", root=scratch.root).stdout
    assert re.search(r"sam\s*│\s*5\s*│\s*10\s*│.*│\s*100\s*│", table)


def test_the_readme_names_no_command_that_nobody_proves():
    assert PROVED_ELSEWHERE | {"./course demo"} <= set(readme_commands())

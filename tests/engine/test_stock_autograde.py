"""``nbgrader autograde`` and the Formgrader's button: another way to start the run of ``coursekit grade``.

The real command and button run once, in a process of their own; the rest calls the converter that both of them start.
"""

import io
import json
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import Config, DeferredConfigString, PyFileConfigLoader

from coursekit.grading import grade, gradebook, lock, receipts, registration
from coursekit.grading.options import GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.nbgrader_plugin.autograde import AutogradeAnything
from tests.toy import ASSIGNMENT, hand_in, solved, toy_course

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
# The command and then the button, in one process: it takes nbgrader longer to start than to grade this class.
STOCK = """
import json
from jupyter_core.application import NoStart
from nbgrader.apps import NbGrader, NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGraderApp

def run(*options):
    command = NbGraderApp()
    command.initialize(["autograde", "linear-regression", *options])
    try: command.start()
    except NoStart: pass  # so Jupyter says that a subcommand has run
    NbGraderApp.clear_instance()

run()
app = NbGrader()
app.initialize([])
def click(student):
    return NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("linear-regression", student)
print(json.dumps([click("zoe"), click("nobody")]))
"""


def in_zip(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"homework/{NOTEBOOK}", text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Course:
    """A class of damaged and late submissions, graded by our own command."""
    course = toy_course(tmp_path_factory.mktemp("ours") / "course")
    text = json.dumps(solved(course))
    hand_in(course, "anna", solved(course, "w.T @ X + b", "w.T @ X"))
    for student, name, data in (
        ("mona", "my homework (1).ipynb", text.encode()),
        ("noah", NOTEBOOK, text[: len(text) // 2].encode()),
        ("pia", "homework.pdf", b"%PDF-1.7"),
        ("zoe", "homework.zip", in_zip(text)),
    ):
        course.submitted(ASSIGNMENT, student).mkdir(parents=True)
        (course.submitted(ASSIGNMENT, student) / name).write_bytes(data)
    (course.submitted(ASSIGNMENT, "zoe") / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
    config = course.root / settings.CONFIG
    config.write_text(f"{config.read_text()}\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    registration.register(course, ASSIGNMENT)
    with gradebook.opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01")
    grade.grade(course, ASSIGNMENT)
    return course


@pytest.fixture
def course(ours, tmp_path) -> Course:
    """A copy of the graded class."""
    return Course(shutil.copytree(ours.root, tmp_path / "course"))


def results(course: Course) -> dict[str, object]:
    """Everything that a grading writes: marks, reasons, penalties, and the files in autograded/ with their receipts.

    The nonces of receipts are left out: each grading has others.
    """
    folder = course.root / "autograded"
    files: dict[str, object] = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        receipt = json.loads(data) | {"nonces": []} if path.name == receipts.NAME else data
        files[path.relative_to(folder).as_posix()] = receipt
    return {"marks": gradebook.read(course, ASSIGNMENT), **files}


def ungraded(course: Course) -> Course:
    """The course with an empty gradebook, in which the assignment is due as before, and without graded work."""
    shutil.rmtree(course.root / "autograded")
    (course.root / "gradebook.db").unlink()
    registration.register(course, ASSIGNMENT)
    with gradebook.opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01")
    return course


def autograde(course: Course, student: str = "*", **options: object) -> str:
    """Run the converter with options, such as ``Autograde__force=True``; returns what it logs, also in its error."""
    config = PyFileConfigLoader(settings.CONFIG, path=str(course.root)).load_config()
    config.CourseDirectory.assignment_id, config.CourseDirectory.student_id = ASSIGNMENT, student
    for name, value in options.items():
        section, _, option = name.partition("__")
        config[section][option] = value
    told = io.StringIO()
    log = logging.Logger("autograde")
    log.addHandler(logging.StreamHandler(told))
    try:
        AutogradeAnything(coursedir=CourseDirectory(config=config), config=config, log=log).start()
    except NbGraderException as error:
        error.told = told.getvalue()
        raise
    return told.getvalue()


def failed(course: Course, student: str = "*", **options: object) -> str:
    """What a run logs that ends with nbgrader's error, which makes its exit code 1."""
    with pytest.raises(NbGraderException) as caught:
        autograde(course, student, **options)
    return caught.value.told


def test_the_command_and_the_button_write_what_our_command_writes(ours, course):
    """Marks, reasons, penalties, notebooks, receipts; submissions that nbgrader alone cannot read included."""
    ungraded(course)
    before = {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", "-c", STOCK]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert results(course) == results(ours)
    assert {one.student: (one.earned, one.penalty) for one in gradebook.read(course, ASSIGNMENT)} == {
        "anna": (6, 0), "mona": (10, 0), "noah": (4, 0), "pia": (0, 0), "zoe": (10, 10)}  # fmt: skip
    assert before == {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    assert not list((course.root / ".coursekit").glob("scratch-*"))
    for said in (
        "[AutogradeApp | WARNING] mona: The notebook was called my homework (1).ipynb",
        f"[AutogradeApp | WARNING] pia: {NOTEBOOK}: no notebook was handed in",
        "[AutogradeApp | INFO] Autograded ",
    ):
        assert said in done.stderr
    zoe, nobody = json.loads(done.stdout.splitlines()[-1])
    assert (zoe["success"], nobody["success"]) == (True, False)
    assert "zoe: The notebook was taken out of homework.zip" in zoe["log"]
    assert "No submissions were matched by" in nobody["log"]


def test_what_one_command_graded_is_up_to_date_for_the_other(ours, course):
    told = autograde(course)
    assert told.count("Skipping existing assignment: ") == 5
    assert "Autograd" not in told
    autograde(ungraded(course))
    assert all(one.unchanged for one in grade.grade(course, ASSIGNMENT))
    assert results(course) == results(ours)


def test_force_grades_again_and_a_later_submission_needs_none(course):
    hand_in(course, "anna", solved(course))
    assert "Skipping" in autograde(course, "anna")
    (course.submitted(ASSIGNMENT, "anna") / "timestamp.txt").write_text("2026-02-01 12:00:00 UTC")
    assert "Skipping" in autograde(course, "anna"), "nothing says when the first one was handed in"
    assert "Autograded" in autograde(course, "anna", Autograde__force=True)
    (course.submitted(ASSIGNMENT, "anna") / "timestamp.txt").write_text("2026-02-02 12:00:00 UTC")
    assert "Updating existing assignment" in autograde(course, "anna")
    assert gradebook.read(course, ASSIGNMENT)[0].earned == 10


def test_options_choose_the_submissions(course):
    forced = {"Autograde__force": True}
    told = autograde(course, "[mz]*", CourseDirectory__student_id_exclude="zoe,pia", **forced)
    assert (told.count("Autograded"), "mona" in told) == (1, True)
    assert "No submissions were matched by" in failed(course, "nobody")
    assert f"No notebook of '{ASSIGNMENT}' was matched by 'other*'" in failed(
        course, CourseDirectory__notebook_id="other*"
    )
    assert "there is no such assignment" in failed(course, CourseDirectory__assignment_id="linear")


def test_without_create_a_student_unknown_to_the_gradebook_is_an_error_and_the_others_are_graded(course):
    ungraded(course)
    with gradebook.opened(course) as book:
        book.add_student("anna")
    told = failed(course, "[am]*", Autograde__create_student=False)
    assert "No student with ID 'mona' exists in the database" in told
    assert [one.student for one in gradebook.read(course, ASSIGNMENT)] == ["anna"]


def test_a_submission_that_fails_ends_nobody_elses_grading(course):
    shutil.copytree(course.submitted(ASSIGNMENT, "mona"), course.submitted(ASSIGNMENT, "m x"))
    told = failed(ungraded(course), "m*", NbGrader__logfile=".nbgrader.log")
    assert "m x: submitted/m x: this folder name cannot be a student's id" in told
    assert f"There was an error processing assignment '{ASSIGNMENT}' for student 'm x'" in told
    assert "for details on the specific errors on the above failures." in told.splitlines()[-1]
    assert [one.student for one in gradebook.read(course, ASSIGNMENT)] == ["mona"]


def test_an_interrupted_run_keeps_what_was_there(course, monkeypatch):
    """nbgrader alone deletes a graded submission before it grades it again, and once more when it is interrupted."""
    before = results(course)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "examine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        autograde(course, Autograde__force=True)
    assert results(course) == before


def test_a_second_grader_is_refused(course):
    with lock.held(course, ASSIGNMENT):
        assert "somebody is grading in this course" in failed(course, Autograde__force=True)


def test_files_have_nbgraders_permissions(course):
    autograde(course, "anna", Autograde__force=True)
    files = [path for path in course.autograded(ASSIGNMENT, "anna").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o444}
    autograde(course, "anna", Autograde__force=True, CourseDirectory__groupshared=True)
    folder = course.autograded(ASSIGNMENT, "anna")
    assert (folder / NOTEBOOK).stat().st_mode & 0o777 == 0o664
    assert folder.stat().st_mode & 0o2770 == 0o2770


def test_another_database_can_be_named(course):
    before = gradebook.read(course, ASSIGNMENT)
    shutil.copyfile(course.root / "gradebook.db", course.root / "other.db")
    hand_in(course, "anna", solved(course))
    address = f"sqlite:///{course.root}/other.db"
    autograde(course, "anna", Autograde__force=True, CourseDirectory__db_url=DeferredConfigString(address))
    assert gradebook.read(course, ASSIGNMENT) == before
    assert gradebook.read(Course(course.root, given_db_url=address), ASSIGNMENT)[0].earned == 10


def test_steps_and_options_that_it_does_not_use_are_named(course):
    config = course.root / settings.CONFIG
    config.write_text(f"""{config.read_text()}
from nbgrader.preprocessors import AssignLatePenalties, IgnorePattern
class Late(AssignLatePenalties):
    pass
c.Autograde.autograde_preprocessors = [IgnorePattern, Late]
c.Autograde.post_convert_hook = print
c.Autograde.create_student = True
""")
    told = autograde(course, Execute__enabled=False, LateSubmissionPlugin__penalty_method="none")
    assert [line for line in told.splitlines() if "Skipping" not in line] == [
        "nbgrader_config.py: Autograde.autograde_preprocessors has the step IgnorePattern,"
        " but nbgrader autograde does not run it",
        "nbgrader_config.py: Autograde.post_convert_hook is set, but nbgrader autograde does not use it",
        "the option Execute.enabled is given, but nbgrader autograde does not use it",
        "the option LateSubmissionPlugin.penalty_method is given, but nbgrader autograde does not use it;"
        " nbgrader_config.py is the place for it",
    ]


def test_the_configuration_sets_the_limits_of_both_commands(course, monkeypatch):
    from coursekit.cli.commands import grading as command

    config = course.root / settings.CONFIG
    config.write_text(f"{config.read_text()}\nc.CourseKit.cell_timeout_s = 60\nc.CourseKit.jobs = 1\n")
    wanted = GradingOptions(TimeLimits(60, 5.0, 600, 700), jobs=1)
    assert command._options(course, None, None, None, "", False) == wanted
    given = []
    monkeypatch.setattr(grade, "grade", lambda *rest, **_: given.append(rest[3]) or [])
    autograde(course, Autograde__force=True)
    experiments = Config(CourseKit={"run_experiments": DeferredConfigString("True")})
    autograde(
        course, Autograde__force=True, **{f"CourseKit__{name}": one for name, one in experiments.CourseKit.items()}
    )
    assert given == [wanted, GradingOptions(TimeLimits(60, 5.0, 600, 700, experiments=True), jobs=1)]


@pytest.mark.parametrize(("option", "value"), [("cell_timeout_s", 0), ("sandbox", "nine"), ("run_experiments", 3)])
def test_a_limit_that_cannot_be_is_refused_by_name(course, option, value):
    assert f"{settings.CONFIG}: CourseKit.{option}: it cannot be used (" in failed(
        course, Autograde__force=True, **{f"CourseKit__{option}": value}
    )


def test_an_option_of_coursekit_that_does_not_exist_is_named_with_the_one_that_is_meant(course):
    config = course.root / settings.CONFIG
    config.write_text(f"{config.read_text()}\nc.CourseKit.cell_timeout = 60\n")
    with pytest.raises(
        CourseError, match=r"CourseKit\.cell_timeout: there is no such option; do you mean cell_timeout_s"
    ):
        _ = course.facts

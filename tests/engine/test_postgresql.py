"""A gradebook in PostgreSQL: the same marks by every way, and what goes wrong with a server is told in one line."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from coursekit.feedback import generation
from coursekit.grading import grade, gradebook, registration
from coursekit.model import database
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from tests import postgresql
from tests.classroom import ASSIGNMENT, ROOT, copy_course, fill_in, hand_in, released_notebook, solution_cells

pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'coursekit[postgresql]'")
PROGRAMS = postgresql.programs()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL's server is not installed: apt install postgresql")


@pytest.fixture(scope="module")
def server():
    assert PROGRAMS is not None
    with postgresql.running(PROGRAMS) as running:
        yield running


@pytest.fixture
def address(server, monkeypatch) -> str:
    """An empty database, which COURSE_DB_URL names."""
    made: str = server.database()
    monkeypatch.setenv(database.VARIABLE, made)
    return made


@pytest.fixture
def course(tmp_path) -> Course:
    """A course with two submissions, configured as it is delivered."""
    made = copy_course(tmp_path / "course")
    shutil.copyfile(ROOT / "nbgrader_config.py", made.root / "nbgrader_config.py")
    solved = fill_in(released_notebook(made), solution_cells(made))
    hand_in(made, "anna", solved)
    hand_in(made, "ben", released_notebook(made))
    return made


def nbgrader(course: Course, *arguments: str) -> str:
    """What a stock nbgrader command says; it must succeed."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # noqa: PTH120
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=course.root, capture_output=True,
                          text=True, env={**os.environ, "PATH": path})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def marks(course: Course) -> dict[str, float]:
    return {student.student: student.earned for student in gradebook.read(course, ASSIGNMENT)}


@pytest.mark.nightly
def test_every_way_to_the_marks_leads_to_the_database(course, address):
    """Grading, a person's mark, grading again, stock nbgrader, the Formgrader's list, the page."""
    assert not gradebook.exists(course)
    assert [one.failed for one in grade.grade(course, ASSIGNMENT)] == [False, False]
    assert marks(course) == {"anna": 100, "ben": 0}
    with gradebook.opened(course) as book:
        mark = book.find_grade("compute-cost-test", ASSIGNMENT, ASSIGNMENT, "anna")
        mark.manual_score = 7
        book.db.commit()
    grade.grade(course, ASSIGNMENT)
    ours = marks(course)
    assert (ours["ben"], ours["anna"]) == (0, 100 - mark_lost(course))
    (page,) = generation.feedback(course, ASSIGNMENT, ["anna"])
    assert (page.problem, page.path.is_file()) == ("", True)
    nbgrader(course, "autograde", ASSIGNMENT, "--force")
    assert marks(course) == ours
    assert {row["name"]: row["num_submissions"] for row in formgrader(course).get_assignments()}[ASSIGNMENT] == 2
    assert not (course.root / "gradebook.db").exists()


def mark_lost(course: Course) -> float:
    with gradebook.opened(course) as book:
        mark = book.find_grade("compute-cost-test", ASSIGNMENT, ASSIGNMENT, "anna")
        return float(mark.max_score) - 7


def formgrader(course: Course):
    """What the Formgrader asks, with the configuration that it reads."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def test_those_who_begin_together_make_the_tables_once(course, address):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: database.prepare(course.db_url, course.facts.course_id), range(6)))
    assert version(course) == database._newest_version()
    assert gradebook.exists(course)


def version(course: Course) -> str:
    from sqlalchemy import text

    with database.connected(course.db_url) as engine, engine.connect() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


@pytest.mark.nightly
def test_a_database_that_was_half_made_is_completed(course, address):
    """As nbgrader leaves it when it is killed between its tables and their version."""
    from nbgrader.api import Base

    with database.connected(course.db_url) as engine:
        Base.metadata.create_all(bind=engine)
    registration.register(course, ASSIGNMENT)
    nbgrader(course, "db", "upgrade")
    assert version(course) == database._newest_version()
    assert gradebook.cells(course, ASSIGNMENT)


def test_a_server_that_stops_in_between_costs_no_mark(course, address, server):
    stopped = []

    def stop(one):
        if not stopped:
            stopped.append(one.student)
            server.stop()

    try:
        with pytest.raises(CourseError, match="cannot be reached") as caught:
            grade.grade(course, ASSIGNMENT, report=stop)
    finally:
        server.start()
    assert "\n" not in str(caught.value)
    grade.grade(course, ASSIGNMENT)
    assert marks(course) == {"anna": 100, "ben": 0}


@pytest.mark.parametrize("wrong", ["password", "server", "name", "driver", "address", "port"])
def test_what_cannot_be_reached_is_told_in_one_line_without_the_password(course, server, monkeypatch, wrong):
    secret = postgresql.PASSWORD
    address = {
        "password": server.address("postgres", f"an%other/{secret}"),
        "server": f"postgresql://grader:{secret}@127.0.0.1:9/course",
        "name": server.address("nowhere"),
        "driver": f"oracel://grader:{secret}@host/name",
        "address": f"grader:{secret}@host",
        "port": f"postgresql://grader:{secret}@host:port/name",
    }[wrong]
    monkeypatch.setenv(database.VARIABLE, address)
    for try_it in (gradebook.read, registration.register, gradebook.cells):
        with pytest.raises(CourseError, match=r"cannot be reached|not the address") as caught:
            try_it(course, ASSIGNMENT)
        assert "\n" not in str(caught.value)
        assert not re.search("t0p|secret|other", str(caught.value))
    logs = [path.read_text() for path in (course.root / ".coursekit").rglob("*.log")]
    assert not any("secret" in log for log in logs)


def test_the_command_line_tells_it_in_one_line_too(course, server):
    env = {**os.environ, database.VARIABLE: server.address("nowhere")}
    command = [sys.executable, "-m", "coursekit", "marks", ASSIGNMENT]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, env=env)
    said = done.stdout + done.stderr
    assert (done.returncode, len(said.splitlines())) == (1, 1), said
    assert said.startswith("postgresql+psycopg://grader:***@/nowhere: the database cannot be reached (")
    assert postgresql.PASSWORD not in said


def test_the_courses_configuration_names_it_too_and_wins(course, server, monkeypatch):
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nget_config().CourseDirectory.db_url = {server.address('course')!r}\n")
    monkeypatch.setenv(database.VARIABLE, "sqlite:///elsewhere.db")
    assert course.db_url == server.address("course").replace("postgresql://", "postgresql+psycopg://")
    assert formgrader(course).coursedir.db_url == server.address("course")


def test_a_copy_of_the_course_keeps_its_marks_to_itself(course, address, tmp_path):
    """The demo and the checks grade in copies: nothing of that may reach the real gradebook."""
    for name in ("once", "once more"):
        copy = course.copy_to(tmp_path / name)
        assert copy.db_url == database.in_folder(copy.root)
        assert formgrader(copy).coursedir.db_url == database.in_folder(copy.root)
        course = copy


def test_a_configuration_that_does_not_run_is_told(course):
    (course.root / "nbgrader_config.py").write_text("db_url = missing\n")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py: it cannot be used \(NameError"):
        _ = course.db_url

"""Where a gradebook is kept: in gradebook.db beside the course, or in the database that the course names."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.model import settings
from coursekit.model.errors import CourseError, one_line

VARIABLE = "COURSE_DB_URL"
# Behind the configuration of a copied course, where it has the last word.
_KEPT_INSIDE = """
# Made with this copy of a course: its marks stay in it, wherever those of the course itself are kept.
from coursekit.config import beside

get_config().CourseDirectory.db_url = beside(__file__)
"""
_HOW = f"check the server, and the address in {VARIABLE} or in {settings.CONFIG} (CourseDirectory.db_url)"
_LOCK = 0x636F75727365  # of PostgreSQL, for those who would make the tables at the same time


def url(root: Path) -> str:
    """The database of the course in ``root``, as stock nbgrader would take it from the course's configuration.

    That is what nbgrader_config.py says; else what the variable COURSE_DB_URL names; else gradebook.db in ``root``.
    """
    path = root / settings.CONFIG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.endswith(_KEPT_INSIDE):
        return own(root)
    configured = settings.of(root).CourseDirectory.get("db_url")
    return _normal(configured) if isinstance(configured, str) and configured else named() or own(root)


def keep_inside(root: Path) -> None:
    """The marks of the copied course in ``root`` stay in it: its configuration ends with words to that effect."""
    path = root / settings.CONFIG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(text.removesuffix(_KEPT_INSIDE) + _KEPT_INSIDE, encoding="utf-8")


def named() -> str:
    """What the environment names; "" if nothing."""
    return _normal(os.environ.get(VARIABLE, "").strip())


def own(root: Path) -> str:
    """gradebook.db in ``root``; the path is quoted where an address would misread it."""
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(root / "gradebook.db")).render_as_string()


def beside(file: str) -> str:
    """gradebook.db beside a file."""
    return own(Path(file).resolve().parent)


def _normal(address: str) -> str:
    """PostgreSQL by the driver that this package asks for, whichever is SQLAlchemy's own choice."""
    for short in ("postgres://", "postgresql://"):
        if address.startswith(short):
            return "postgresql+psycopg://" + address.removeprefix(short)
    return address


def is_file(address: str) -> bool:
    """Whether it is a file of SQLite, which nbgrader makes by itself."""
    return address.startswith("sqlite")


def shown(address: str) -> str:
    """The address as it may be told: without the password, and without what stands behind a question mark."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if is_file(address):
        return "gradebook.db"
    try:
        return make_url(address).set(query={}).render_as_string()
    except (ArgumentError, ValueError):
        return "the gradebook"


@contextmanager
def told(address: str = "") -> Iterator[None]:
    """What goes wrong with the database within is a CourseError, in words and on one line, and without a password."""
    from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

    where = shown(address) if address else "gradebook.db"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy has much to say about nbgrader's models
            yield
    except DatabaseError as error:
        if "database is locked" in str(error):
            raise CourseError(where, "in use by another program", "close it, and run this again") from error
        found = one_line(error.orig or error)
        if not type(error.orig).__module__.startswith("psycopg"):
            remedy = "restore it from a backup, or move it away"
            raise CourseError(where, f"it cannot be used ({found})", remedy) from error
        where = where if address else "the gradebook"
        if isinstance(error, OperationalError):
            raise CourseError(where, f"the database cannot be reached ({found})", _HOW) from error
        raise CourseError(where, f"the database refuses this ({found})", "see what it says") from error
    except ArgumentError:  # its words may hold the whole address
        found = "this is not the address of a database"
        raise CourseError(where, found, "write postgresql://user:password@host/name") from None
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise CourseError(where, "psycopg is not installed", "pip install 'coursekit[postgresql]'") from error


def prepare(address: str, course_id: str) -> None:
    """The database has nbgrader's tables, however many processes begin at once. Raises CourseError.

    nbgrader makes them by itself, but starts a program for that, two that do so together get in each other's way, and
    one that is stopped half-way leaves no version, without which `nbgrader db upgrade` would begin with the oldest one.
    """
    with told(address):
        if is_file(address):
            _prepare_file(address, course_id)
        else:
            _prepare_server(address, course_id)


def _prepare_file(address: str, course_id: str) -> None:
    """A file that is not there yet appears whole; one that is there is nbgrader's, whatever state it is in."""
    from sqlalchemy.engine import make_url

    found = make_url(address).database
    if not found or found == ":memory:" or Path(found).exists() or not Path(found).parent.is_dir():
        return
    file = Path(found)
    try:
        with tempfile.TemporaryDirectory(prefix=".gradebook-", dir=file.parent) as folder:
            made = own(Path(folder))
            with connected(made) as engine:
                _make(made, engine, course_id)
            with suppress(FileExistsError):  # somebody else was first
                os.link(Path(folder) / "gradebook.db", file)
    except OSError:  # a disk without links, or one that cannot be written: the database says so in its own words
        with connected(address) as engine:
            _make(address, engine, course_id)


def _prepare_server(address: str, course_id: str) -> None:
    from sqlalchemy import text

    with connected(address) as engine:
        if has_tables(engine):
            return
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))  # gone with the connection
            if not has_tables(engine):
                _make(address, engine, course_id)
            connection.invalidate()


def _make(address: str, engine: Any, course_id: str) -> None:
    """The tables, the courses that everything hangs on, and last the version, which says that all of it is there."""
    from nbgrader import api
    from sqlalchemy import text

    api.Base.metadata.create_all(bind=engine)
    for course in dict.fromkeys(
        ("default_course", course_id or "default_course")
    ):  # nbgrader's preprocessors use the one, its converters the other
        api.Gradebook(address, course).close()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": _head()})


@cache
def _head() -> str:
    """The version of the tables that this nbgrader has."""
    import nbgrader
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head())


def has_tables(engine: Any) -> bool:
    """Whether the tables are there, all of them: this one is made last."""
    from sqlalchemy import inspect

    return bool(inspect(engine).has_table("alembic_version"))


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """SQLAlchemy's engine for the database, with no connection left behind."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError

    try:
        engine = create_engine(address)
    except ValueError as error:  # a port that is no number
        raise ArgumentError(str(error)) from None
    try:
        yield engine
    finally:
        engine.dispose()


def is_plainly_missing(root: Path) -> bool:
    """Whether there is no gradebook yet, where that is plain to see: nothing is imported and no server is asked."""
    path = root / "nbgrader_config.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not text.endswith(_KEPT_INSIDE) and (named() or "db_url" in text or "load_subconfig" in text):
        return False
    return not (root / "gradebook.db").exists()

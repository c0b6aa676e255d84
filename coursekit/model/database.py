"""The database of the gradebook: gradebook.db in the course directory, or one that the course names."""

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
# Appended to the configuration of a copied course, so that it overrides what is before it.
_KEPT_INSIDE = """
# Made with this copy of a course: its marks stay in it, wherever those of the course itself are kept.
from coursekit.config import beside

get_config().CourseDirectory.db_url = beside(__file__)
"""
_HOW = f"check the server, and the address in {VARIABLE} or in {settings.CONFIG} (CourseDirectory.db_url)"
_ADVISORY_LOCK = 0x636F75727365  # key of PostgreSQL's advisory lock for creating the tables


def url(root: Path) -> str:
    """The database of the course in ``root``, which nbgrader's own commands use as well.

    In this order: nbgrader_config.py, the variable COURSE_DB_URL, gradebook.db in ``root``.
    """
    path = root / settings.CONFIG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.endswith(_KEPT_INSIDE):
        return in_folder(root)
    configured = settings.of(root).CourseDirectory.get("db_url")
    return _normal(configured) if isinstance(configured, str) and configured else from_environment() or in_folder(root)


def keep_inside(root: Path) -> None:
    """Make the copied course in ``root`` use its own gradebook, by lines at the end of its configuration."""
    path = root / settings.CONFIG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(text.removesuffix(_KEPT_INSIDE) + _KEPT_INSIDE, encoding="utf-8")


def from_environment() -> str:
    """The database in the variable COURSE_DB_URL; "" if it is not set."""
    return _normal(os.environ.get(VARIABLE, "").strip())


def in_folder(root: Path) -> str:
    """The address of gradebook.db in ``root``; special characters of the path are quoted."""
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(root / "gradebook.db")).render_as_string()


def beside(file: str) -> str:
    """The address of gradebook.db in the folder of a file; called by the configuration of a copied course."""
    return in_folder(Path(file).resolve().parent)


def _normal(address: str) -> str:
    """The address with the PostgreSQL driver psycopg, independent of SQLAlchemy's default."""
    for short in ("postgres://", "postgresql://"):
        if address.startswith(short):
            return "postgresql+psycopg://" + address.removeprefix(short)
    return address


def is_file(address: str) -> bool:
    """Whether the address is that of an SQLite file."""
    return address.startswith("sqlite")


def redacted(address: str) -> str:
    """The address without its password and query string."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if is_file(address):
        return "gradebook.db"
    try:
        return make_url(address).set(query={}).render_as_string()
    except (ArgumentError, ValueError):
        return "the gradebook"


@contextmanager
def translated_errors(address: str = "") -> Iterator[None]:
    """Translate errors of the database into a CourseError: one line, without a password."""
    from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

    where = redacted(address) if address else "gradebook.db"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy warns about nbgrader's models
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
    except ArgumentError:  # its message may contain the whole address
        found = "this is not the address of a database"
        raise CourseError(where, found, "write postgresql://user:password@host/name") from None
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise CourseError(where, "psycopg is not installed", "pip install 'coursekit[postgresql]'") from error


def prepare(address: str, course_id: str) -> None:
    """Create nbgrader's tables in the database, safely for concurrent processes. Raises CourseError.

    nbgrader also creates them, but starts a program for that; two such programs disturb each other, and an interrupted
    one leaves no version, so that `nbgrader db upgrade` would begin with the oldest one.
    """
    with translated_errors(address):
        if is_file(address):
            _prepare_file(address, course_id)
        else:
            _prepare_server(address, course_id)


def _prepare_file(address: str, course_id: str) -> None:
    """Create a missing SQLite file atomically; an existing one is nbgrader's, and left alone."""
    from sqlalchemy.engine import make_url

    found = make_url(address).database
    if not found or found == ":memory:" or Path(found).exists() or not Path(found).parent.is_dir():
        return
    file = Path(found)
    try:
        with tempfile.TemporaryDirectory(prefix=".gradebook-", dir=file.parent) as folder:
            made = in_folder(Path(folder))
            with connected(made) as engine:
                _make(made, engine, course_id)
            with suppress(FileExistsError):  # another process was first
                os.link(Path(folder) / "gradebook.db", file)
    except OSError:  # no hard links, or not writable: then the database itself reports the error
        with connected(address) as engine:
            _make(address, engine, course_id)


def _prepare_server(address: str, course_id: str) -> None:
    from sqlalchemy import text

    with connected(address) as engine:
        if has_tables(engine):
            return
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))  # released with the connection
            if not has_tables(engine):
                _make(address, engine, course_id)
            connection.invalidate()


def _make(address: str, engine: Any, course_id: str) -> None:
    """Create the tables, the course rows that others refer to, and last the version, which marks completion."""
    from nbgrader import api
    from sqlalchemy import text

    api.Base.metadata.create_all(bind=engine)
    for course in dict.fromkeys(
        ("default_course", course_id or "default_course")
    ):  # nbgrader's preprocessors use the first, its converters the second
        api.Gradebook(address, course).close()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": _newest_version()})


@cache
def _newest_version() -> str:
    """The version of the tables in the installed nbgrader."""
    import nbgrader
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head())


def has_tables(engine: Any) -> bool:
    """Whether all tables exist: the version table is created last."""
    from sqlalchemy import inspect

    return bool(inspect(engine).has_table("alembic_version"))


def create_table(engine: Any, table: Any) -> None:
    """Create a table of ours if it is missing; several processes may do so at the same time."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DatabaseError

    if inspect(engine).has_table(table.name):
        return
    try:
        table.create(engine, checkfirst=True)
    except DatabaseError:
        if not inspect(engine).has_table(table.name):  # else another process was first
            raise


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield SQLAlchemy's engine for the database, and close all its connections afterwards."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError

    try:
        engine = create_engine(address)
    except ValueError as error:  # a port that is not a number
        raise ArgumentError(str(error)) from None
    try:
        yield engine
    finally:
        engine.dispose()


def is_plainly_missing(root: Path) -> bool:
    """Whether there is surely no gradebook yet; decided quickly, without imports and without a server."""
    path = root / "nbgrader_config.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not text.endswith(_KEPT_INSIDE) and (from_environment() or "db_url" in text or "load_subconfig" in text):
        return False
    return not (root / "gradebook.db").exists()

"""The files beside a notebook: which of them its code may read at grading, and notes on the others."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from coursekit.model.course import IMPORTABLE, Course
from coursekit.model.wording import first_few
from coursekit.submission import cells
from coursekit.submission.folders import Item, printable

MAX_FILES, MAX_FILE_BYTES, MAX_ALL_BYTES = 200, 8 << 20, 16 << 20
MAX_RATIO, FREE_BYTES = 10, 1 << 20  # of an archive: times its packed size, but at least so many bytes
MAX_PY_CHARS = 40_000  # of a changed course module that is searched for added functions
MAX_NAMED = 10  # files in one note
TIMESTAMP = "timestamp.txt"  # nbgrader's file with the time of submission
# Data and pictures that code reads; nothing that a browser runs, or that a program reads as configuration.
DATA = frozenset(".csv .tsv .txt .dat .json .npy .npz .h5 .hdf5 .mat .png .jpg .jpeg .gif .bmp".split())  # noqa: SIM905
_CONFIGURATION = re.compile(r"jupyter|ipython|nbgrader|.*config|package|tsconfig|.*settings", re.IGNORECASE)


class _Kind(Enum):
    """The kind of a file beside the notebook, which decides whether it is used."""

    DATA = auto()  # used
    TOO_MUCH = auto()  # data beyond the limits, or unreadable
    NO_DATA = auto()
    PYTHON = auto()  # a module that the student wrote
    COURSE_MODULE = auto()  # a module of the course: the original is used
    SILENT = auto()  # left out without a note


def is_data(path: PurePosixPath) -> bool:
    """Whether the name is that of a data file or picture, and not hidden or a configuration file."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in DATA and not hidden and not _CONFIGURATION.match(path.stem)


def beside_notebook(
    course: Course, assignment: str, notebook: Item, files: Iterable[Item]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The data and pictures by their path relative to the notebook's folder, and notes on what is not used.

    Notebooks, files that Python would import, and files beyond the limits are left out.
    """
    files = [*files]
    given = course.trusted_files(assignment)
    taken: dict[str, bytes] = {}
    left_out: dict[_Kind, list[str]] = {}
    own_functions: list[str] = []
    bytes_left = _most_bytes(notebook, files)
    for item, path in _beside(notebook, files):
        name, kind = path.as_posix(), _kind(path, given, taken)
        if kind is _Kind.COURSE_MODULE:
            own_functions += _own_functions(given[name], item)
        elif kind is _Kind.DATA:
            data = _content(item, min(bytes_left, MAX_FILE_BYTES)) if len(taken) < MAX_FILES else None
            if data is None:
                left_out.setdefault(_Kind.TOO_MUCH, []).append(printable(path))
            else:
                taken[name] = data
                bytes_left -= len(data)
        elif kind is not _Kind.SILENT:
            left_out.setdefault(kind, []).append(printable(path))
    return taken, (*_remarks(left_out), *own_functions)


def _most_bytes(notebook: Item, files: Iterable[Item]) -> int:
    """The limit on the bytes of all files together."""
    if not notebook.archive:
        return MAX_ALL_BYTES
    return min(MAX_ALL_BYTES, max(FREE_BYTES, MAX_RATIO * sum(item.packed for item in files)))


def _beside(notebook: Item, files: Iterable[Item]) -> Iterator[tuple[Item, PurePosixPath]]:
    """The files in and below the notebook's folder, with their relative paths; without notebooks and the timestamp."""
    folder = notebook.path.parent
    for item in files:
        not_read = item.checkpoint or item.path.suffix.lower() == ".ipynb" or item.path.name == TIMESTAMP
        if item.path.is_relative_to(folder) and item.path != notebook.path and not not_read:
            yield item, item.path.relative_to(folder)


def _kind(path: PurePosixPath, given: Mapping[str, Path], taken: Mapping[str, bytes]) -> _Kind:
    name, suffix = path.as_posix(), path.suffix.lower()
    if suffix == ".py" and name in given:
        return _Kind.COURSE_MODULE
    if suffix in IMPORTABLE:
        return _Kind.PYTHON if suffix == ".py" and len(path.parts) == 1 else _Kind.SILENT
    if name in given or suffix == ".zip" or not _is_plain(path, taken):
        return _Kind.SILENT  # an archive is read elsewhere, if needed
    return _Kind.DATA if is_data(path) else _Kind.NO_DATA


def _remarks(left_out: Mapping[_Kind, list[str]]) -> Iterator[str]:
    """A sentence for each kind of file that is not used and that a student may miss."""
    room = f"{MAX_FILES} files and {MAX_ALL_BYTES >> 20} MiB are taken, of one file {MAX_FILE_BYTES >> 20} MiB"
    sentences = {
        _Kind.PYTHON: "Python files beside the notebook were not used: {}.",
        _Kind.NO_DATA: "Files beside the notebook were not used, since they are no data: {}.",
        _Kind.TOO_MUCH: f"Files beside the notebook were left out: {{}}. At most {room}.",
    }
    for kind, sentence in sentences.items():
        if kind in left_out:
            yield sentence.format(first_few(sorted(left_out[kind]), MAX_NAMED))


def _content(item: Item, limit: int) -> bytes | None:
    """The file's bytes; None if they exceed the limit or cannot be read."""
    try:
        data = item.read(limit) if item.size <= limit else None
    except OSError:
        return None
    return data if data is not None and len(data) <= limit else None


def timestamp(files: Iterable[Item]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """nbgrader's timestamp file, and a note if it does not hold exactly one date."""
    from coursekit.submission import dates

    for item in files:
        if str(item.path) == TIMESTAMP:
            try:
                data = item.read(100)
                if data.strip():
                    dates.in_utc(data.decode("ascii").strip())
                    return {TIMESTAMP: data}, ()
            except dates.NotOneDate as error:
                return {}, (f"{TIMESTAMP} {error}, so when this was handed in is not known.",)
            except (OSError, ValueError):
                return {}, (f"{TIMESTAMP} holds no date, so when this was handed in is not known.",)
    return {}, ()


def _is_plain(path: PurePosixPath, there: Mapping[str, bytes]) -> bool:
    """Whether a file can have this path on every operating system, beside the files in ``there``."""
    name = path.as_posix()
    if not name.isprintable() or set(name) & set('\\:*?"<>|') or len(name) > 1000:
        return False
    if any(len(part.encode()) > 255 for part in path.parts):
        return False
    return not any(parent.as_posix() in there for parent in path.parents)  # an archive may hold x and x/y


def _own_functions(trusted: Path, item: Item) -> tuple[str, ...]:
    """A note on functions that the student added to a course module, whose original is used."""
    try:
        data = item.read(MAX_PY_CHARS)
    except OSError:
        return ()
    if data == trusted.read_bytes():
        return ()
    given = cells.definitions(trusted.read_text(encoding="utf-8"))
    own = cells.definitions(data.decode("utf-8", "replace")) if len(data) <= MAX_PY_CHARS else {}
    extra = sorted(name for name in own if name not in given)[:5]
    if not extra:
        return ()
    return (f"Your own functions in {trusted.name} were not used ({', '.join(extra)}): grading takes the course's"
            f" {trusted.name}. Put them into the notebook.",)  # fmt: skip

"""The files beside a notebook: which of them its code may read when it is graded, and a word on those it may not."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from coursekit.course import IMPORTABLE, Course
from coursekit.reading import answers
from coursekit.reading.folders import Item, shown

MAX_FILES, MAX_FILE_BYTES, MAX_ALL_BYTES = 200, 8 << 20, 16 << 20
MAX_RATIO, FREE_BYTES = 10, 1 << 20  # out of an archive comes so many times its size, and of a small one a little more
MAX_PY_CHARS = 40_000  # of one module of ours in which functions of the student's own are looked for
TIMESTAMP = "timestamp.txt"  # where nbgrader writes when something was handed in
# What code reads: data and pictures. Nothing that a browser runs, and nothing that a program obeys for lying there.
DATA = frozenset(".csv .tsv .txt .dat .json .npy .npz .h5 .hdf5 .mat .png .jpg .jpeg .gif .bmp".split())  # noqa: SIM905
_CONFIGURATION = re.compile(r"jupyter|ipython|nbgrader|.*config|package|tsconfig|.*settings", re.IGNORECASE)


def is_data(path: PurePosixPath) -> bool:
    """Whether a file of this name is one that the code of a notebook may read, and that does nothing by itself."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in DATA and not hidden and not _CONFIGURATION.match(path.stem)


def beside_notebook(
    course: Course, assignment: str, notebook: Item, files: Iterable[Item]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files by their name as seen from the notebook's folder, and remarks on what is not used.

    Only data and pictures: neither notebooks nor anything that Python would import; what is too much is left out.
    """
    given, files = course.trusted_files(assignment), [*files]
    found: dict[str, bytes] = {}
    unused: list[str] = []  # Python
    others: list[str] = []
    too_much: list[str] = []
    told: list[str] = []
    left = MAX_ALL_BYTES
    if notebook.archive:
        left = min(left, max(FREE_BYTES, MAX_RATIO * sum(item.packed for item in files)))
    for item in files:
        if not item.path.is_relative_to(notebook.path.parent):
            continue
        path = item.path.relative_to(notebook.path.parent)
        name, suffix = path.as_posix(), path.suffix.lower()
        if item.checkpoint or suffix == ".ipynb" or item.path == notebook.path or item.path.name == TIMESTAMP:
            continue
        if suffix in IMPORTABLE:
            if suffix == ".py" and name in given:
                told += _own_functions(given[name], item)
            elif suffix == ".py" and len(path.parts) == 1:
                unused.append(shown(path))
        elif name in given or suffix == ".zip" or not _is_plain(path, found):
            continue  # an archive was looked into, if it was needed
        elif not is_data(path):
            others.append(shown(path))
        elif len(found) >= MAX_FILES or (data := _content(item, min(left, MAX_FILE_BYTES))) is None:
            too_much.append(shown(path))
        else:
            found[name] = data
            left -= len(data)
    if too_much:
        room = f"{MAX_FILES} files and {MAX_ALL_BYTES >> 20} MiB are taken, of one file {MAX_FILE_BYTES >> 20} MiB"
        told.insert(0, f"Files beside the notebook were left out: {_listed(too_much)}. At most {room}.")
    if others:
        told.insert(0, f"Files beside the notebook were not used, since they are no data: {_listed(others)}.")
    if unused:
        told.insert(0, f"Python files beside the notebook were not used: {_listed(unused)}.")
    return found, tuple(told)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{', '.join(sorted(names)[:10])}{more}"


def _content(item: Item, limit: int) -> bytes | None:
    """The file's bytes; None where there are more, or where it cannot be read."""
    try:
        data = item.read(limit) if item.size <= limit else None
    except OSError:
        return None
    return data if data is not None and len(data) <= limit else None


def timestamp(files: Iterable[Item]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """nbgrader's own note of when it was handed in, as a file, and a remark where it does not hold one date."""
    from coursekit.reading import dates

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


def _is_plain(path: PurePosixPath, there: dict[str, bytes]) -> bool:
    """Whether a file can have this name in any folder, beside those that are there."""
    name = path.as_posix()
    if not name.isprintable() or set(name) & set('\\:*?"<>|') or len(name) > 1000:
        return False
    if any(len(part.encode()) > 255 for part in path.parts):
        return False
    return not any(parent.as_posix() in there for parent in path.parents)  # an archive may hold x and x/y


def _own_functions(trusted: Path, item: Item) -> tuple[str, ...]:
    """A remark on functions that a student wrote into a module of ours, which is put back."""
    try:
        data = item.read(MAX_PY_CHARS)
    except OSError:
        return ()
    if data == trusted.read_bytes():
        return ()
    given = answers.definitions(trusted.read_text(encoding="utf-8"))
    own = answers.definitions(data.decode("utf-8", "replace")) if len(data) <= MAX_PY_CHARS else {}
    extra = sorted(name for name in own if name not in given)[:5]
    if not extra:
        return ()
    return (f"Your own functions in {trusted.name} were not used ({', '.join(extra)}): grading takes the course's"
            f" {trusted.name}. Put them into the notebook.",)  # fmt: skip

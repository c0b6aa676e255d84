"""The files beside a notebook: which of them its code may read when it is graded, and a word on those it may not."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from coursekit.course import IMPORTABLE, Course
from coursekit.reading import answers
from coursekit.reading.folders import Item, shown

MAX_FILES, MAX_FILE_BYTES, MAX_ALL_BYTES = 200, 16 << 20, 50 << 20
TIMESTAMP = "timestamp.txt"  # where nbgrader writes when something was handed in


def beside_notebook(
    course: Course, assignment: str, notebook: Item, files: Iterable[Item]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files by their name as seen from the notebook's folder, and remarks on Python files, which are not used.

    Neither notebooks nor anything that Python would import; what is too much is left out.
    """
    given = course.trusted_files(assignment)
    found: dict[str, bytes] = {}
    unused: list[str] = []
    told: list[str] = []
    left = MAX_ALL_BYTES
    for item in files:
        if not item.path.is_relative_to(notebook.path.parent):
            continue
        path = item.path.relative_to(notebook.path.parent)
        name, suffix = path.as_posix(), path.suffix.lower()
        if item.checkpoint or suffix == ".ipynb" or item.path.name == TIMESTAMP:
            continue
        if suffix in IMPORTABLE:
            if suffix == ".py" and name in given:
                told += _own_functions(given[name], item)
            elif suffix == ".py" and len(path.parts) == 1:
                unused.append(shown(path))
        elif name not in given and len(found) < MAX_FILES and _is_plain(path, found):
            limit = min(left, MAX_FILE_BYTES)
            try:
                data = item.read(limit) if item.size <= limit else None
            except OSError:
                continue  # a file that cannot be read is as good as not there
            if data is not None and len(data) <= limit:
                found[name] = data
                left -= len(data)
    if unused:
        more = f" and {len(unused) - 10} more" if len(unused) > 10 else ""
        told.insert(0, f"Python files beside the notebook were not used: {', '.join(sorted(unused)[:10])}{more}.")
    return found, tuple(told)


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
        data = item.read(answers.MAX_PARSED_CHARS)
    except OSError:
        return ()
    given = answers.definitions(trusted.read_text(encoding="utf-8"))
    own = answers.definitions(data.decode("utf-8", "replace")) if len(data) <= answers.MAX_PARSED_CHARS else {}
    extra = sorted(name for name in own if name not in given)[:5]
    if not extra:
        return ()
    return (f"Your own functions in {trusted.name} were not used ({', '.join(extra)}): grading takes the course's"
            f" {trusted.name}. Put them into the notebook.",)  # fmt: skip

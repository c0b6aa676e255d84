"""The layout of a course directory, and the course facts in its configuration."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import selfcheck
from coursekit import CHECKOUT
from coursekit.model import database, settings
from coursekit.model.errors import CourseError

SELFCHECK = Path(selfcheck.__file__).parent  # the student's half of the engine, which every release gets
_MADE_BY_USE = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
IMPORTABLE = (".py", ".pyc", ".so", ".pyd", ".pth")


@dataclass(frozen=True)
class Course:
    """A course directory: ``root`` is absolute and holds source/, hidden/, release/ and the shared modules."""

    root: Path
    given: settings.Facts | None = None  # used instead of the configuration, which a worker of a cluster does not have
    given_db_url: str = ""  # used instead of the configured one, such as that of ``nbgrader --db``

    @property
    def facts(self) -> settings.Facts:
        """The course facts in ``nbgrader_config.py``: id, order of the assignments, shared files."""
        return self.given or settings.facts(self.root)

    def folder(self, assignment: str) -> Path:
        """The source folder: the source notebook, ``cases.py`` and data, from which the release is made."""
        return self.root / "source" / assignment

    def hidden(self, assignment: str) -> Path:
        """Points, hidden cases and mistakes, which are never released; outside source/, which nbgrader copies."""
        return self.root / "hidden" / assignment

    def source(self, assignment: str) -> Path:
        """The source notebook; the other files of its folder are released unchanged."""
        return self.folder(assignment) / f"{assignment}.ipynb"

    def release(self, assignment: str) -> Path:
        return self.root / "release" / assignment

    def submitted(self, assignment: str, student: str = "") -> Path:
        """A student's submitted folder; without a student, a glob pattern for all students."""
        return self.root / "submitted" / (student or "*") / assignment

    def autograded(self, assignment: str, student: str) -> Path:
        return self.root / "autograded" / student / assignment

    def feedback(self, assignment: str, student: str) -> Path:
        return self.root / "feedback" / student / assignment

    def trusted_files(self, assignment: str) -> dict[str, Path]:
        """The files that are released beside the notebook: the original file by its name in the release.

        Raises CourseError if a link would reveal a file of hidden/.
        """
        own = _files(self.folder(assignment))
        self.refuse_hidden(self.folder(assignment).rglob("*"))
        return {name: path for name, path in own.items() if path.suffix != ".ipynb"} | self.shared_files(assignment)

    def shared_files(self, assignment: str) -> dict[str, Path]:
        """The shared files that are released with an assignment, by name, and this version of ``selfcheck``.

        A module that defines a function which the assignment asks for is left out. Raises CourseError as
        ``trusted_files`` does.
        """
        shared = self._all_shared()
        self.refuse_hidden(shared.values())
        asked = functions_asked(self.source(assignment))
        given = {name: path for name, path in shared.items() if asked.isdisjoint(functions_in(path))}
        if not (self.folder(assignment) / "cases.py").is_file():
            return given
        return given | {f"{SELFCHECK.name}/{path.name}": path for path in sorted(SELFCHECK.glob("*.py"))}

    def _all_shared(self) -> dict[str, Path]:
        """The files that the configuration names, and those in the folders that it names."""
        named = (self.root / name for name in self.facts.shared_files)
        return {
            path.relative_to(self.root).as_posix(): path
            for one in named
            for path in (_files(one).values() if one.is_dir() else (one,))
        }

    def refuse_hidden(self, paths: Iterable[Path]) -> None:
        """Raise CourseError if one of these paths of the course leads into hidden/, directly or through a link."""
        hidden = Path(os.path.realpath(self.root / "hidden"))
        for path in paths:
            if any(one.is_relative_to(hidden) or hidden.is_relative_to(one) for one in _behind(path)):
                found = "it is a link into hidden/, and students would get what is there"
                raise CourseError(path.relative_to(self.root).as_posix(), found, "remove the link")

    def deciding(self, assignment: str) -> list[Path]:
        """Every file that a mark may depend on, except the source notebook and the configuration.

        These are the files that students get, those in hidden/ that belong to no other assignment, and the modules at
        the top of the course, which the assignment's code may import.
        """
        given = {path for path in _files(self.folder(assignment)).values() if path.suffix != ".ipynb"}
        given |= set(self._all_shared().values())
        hidden = self.hidden(assignment).parent
        secrets = {
            path
            for name, path in _files(hidden).items()
            if _is_content(path) and not self._is_of_another(Path(name).parts[0], assignment)
        }
        top = {path for path in self.root.glob("*.py") if _is_content(path) and path.name != settings.CONFIG}
        return sorted(given | secrets | top)

    def _is_of_another(self, name: str, assignment: str) -> bool:
        """Whether hidden/<name> is a folder of another assignment."""
        there = self.folder(name).is_dir() or (self.hidden(name) / "exercises.py").is_file()
        return name != assignment and there

    def copy_to(self, root: Path) -> "Course":
        """An independent copy in ``root``: notebooks, releases, modules, its own gradebook; no submissions."""
        copied = self.copy_modules_to(root)
        for folder in ("source", "release"):
            if (self.root / folder).is_dir():
                shutil.copytree(self.root / folder, root / folder, ignore=_MADE_BY_USE)
        return copied

    def copy_modules_to(self, root: Path) -> "Course":
        """A copy in ``root`` without notebooks and releases: configuration, shared files and hidden/."""
        root.mkdir(parents=True, exist_ok=True)
        top = (path.name for path in self.root.glob("*.py"))  # the configuration may import modules beside it
        for name in sorted({*top, *self.facts.shared_files, "hidden"}):
            path = self.root / name
            if path.is_dir():
                shutil.copytree(path, root / name, ignore=_MADE_BY_USE)
            elif path.is_file():
                shutil.copyfile(path, root / name)
        database.keep_inside(root)
        return Course(root)

    @property
    def db_url(self) -> str:
        """The address of the gradebook: gradebook.db, or the database named in the configuration or COURSE_DB_URL."""
        return self.given_db_url or database.url(self.root)

    def assignments(self) -> tuple[str, ...]:
        """Every assignment with a source notebook, in the order of the configuration, then by name."""
        found = {path.parent.name for path in self.root.glob("source/*/*.ipynb") if path.stem == path.parent.name}
        order = self.facts.assignments
        return tuple(sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name)))

    def students(self, assignment: str) -> tuple[str, ...]:
        """The students with a submission for the assignment."""
        return tuple(sorted(path.parent.name for path in self.root.glob(f"submitted/*/{assignment}") if path.is_dir()))

    def misplaced_files(self) -> tuple[str, ...]:
        """Paths under submitted/ that no command reads: loose files, and folders that belong to no assignment."""
        known = set(self.assignments())
        inside = (path for path in self.root.glob("submitted/*/*") if not path.name.startswith("."))
        loose = (path for path in self.root.glob("submitted/*") if path.is_file() and not path.name.startswith("."))
        wrong = [path for path in inside if path.is_file() or path.name not in known] + list(loose)
        return tuple(sorted(path.relative_to(self.root / "submitted").as_posix() for path in wrong))

    def require(self, assignment: str) -> str:
        """The name of an existing assignment; else raises CourseError. Only the error needs the configuration."""
        if not self.source(assignment).is_file() or Path(assignment).name != assignment:
            known = self.assignments()
            if Path(assignment).name == assignment and self.folder(assignment).is_dir():
                found = f"there is no notebook source/{assignment}/{assignment}.ipynb"
                raise CourseError(assignment, found, "give the notebook the name of its folder")
            raise CourseError(
                assignment, "there is no such assignment", f"choose one of: {', '.join(known) or '(none)'}"
            )
        return assignment


def _behind(path: Path) -> Iterator[Path]:
    """The real path, and if it is a link to a folder, those of all links in it: copying the folder follows them."""
    seen, waiting = set[Path](), [path]
    while waiting:
        one = waiting.pop()
        real = Path(os.path.realpath(one))
        yield real
        if one.is_symlink() and real.is_dir() and real not in seen:
            seen.add(real)
            waiting += (inside for inside in real.rglob("*") if inside.is_symlink())


def _is_content(path: Path) -> bool:
    """Whether it is a file, but not a temporary file of an editor, such as ``.#cases.py`` or ``cases.py~``."""
    own = not path.name.startswith(".") and not path.name.endswith("~") and ".ipynb_checkpoints" not in path.parts
    return own and path.is_file()


def _files(folder: Path) -> dict[str, Path]:
    """The files of a folder by relative path, without bytecode and checkpoints."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and ".ipynb_checkpoints" not in path.parts
    }


def functions_asked(source: Path) -> frozenset[str]:
    """The functions that the solution cells of a source notebook define; none if it cannot be read."""
    return _asked_as_of(source, source.stat().st_mtime_ns) if source.is_file() else frozenset()


@lru_cache(maxsize=32)
def _asked_as_of(source: Path, changed: int) -> frozenset[str]:
    from coursekit.model import notebooks  # slow to import, and most commands read no notebook

    try:
        cells = [cell for cell in notebooks.read(source).cells if notebooks.is_solution(cell)]
    except CourseError:
        return frozenset()
    return frozenset(name for cell in cells for name in notebooks.defined_functions(cell.source))


def functions_in(path: Path) -> frozenset[str]:
    """The functions that a module defines at its top level; none if the file is no module, or missing."""
    there = path.suffix == ".py" and path.is_file()
    return _functions_as_of(path, path.stat().st_mtime_ns) if there else frozenset()


@lru_cache(maxsize=128)
def _functions_as_of(path: Path, changed: int) -> frozenset[str]:
    return frozenset(re.findall(r"(?m)^def[ \t]+(\w+)", path.read_text(encoding="utf-8", errors="replace")))


def _usable(folder: Path) -> Course:
    if set("[]*?") & set(str(folder)):
        raise CourseError(folder, "nbgrader reads [ ] * and ? in a path as a pattern", "rename the folder")
    return Course(folder)


def find_course(start: Path | None = None) -> Course:
    """The course directory at or above ``start``, by default COURSE_ROOT, by default the working directory.

    If neither argument nor variable is given, and there is none, the checkout that this package was installed from.
    """
    named = start or os.environ.get("COURSE_ROOT")
    here = Path(named or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "nbgrader_config.py").is_file() and (folder / "source").is_dir():
            return _usable(folder)
    if not named and (CHECKOUT / "nbgrader_config.py").is_file():
        return Course(CHECKOUT)
    what = "this is not a course directory (there is no nbgrader_config.py with a source/ folder here or above)"
    raise CourseError(here, what, "change to the course directory first")

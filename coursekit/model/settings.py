"""The configuration of a course, read as nbgrader reads it and cached until one of its files changes.

nbgrader 0.9.6 merges in this order, later values overriding earlier ones: ``jupyter_config`` and ``nbgrader_config`` in
Jupyter's configuration folders (system, environment, user), then ``nbgrader_config.py`` and ``nbgrader_config.json`` in
the course directory. This module does the same. nbgrader itself, which takes a second to import, is needed for the
plug-ins only, and for a configuration with deprecated options (``NbGrader.db_url``), which it renames.
"""

import copy
import difflib
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from traitlets import TraitError

from coursekit import CHECKOUT
from coursekit.model.errors import CourseError, one_line, one_line_with_type

CONFIG = "nbgrader_config.py"
_JSON = "nbgrader_config.json"
# Plug-ins that a course names as a class or an import string, and the base class that nbgrader requires.
_PLUGINS = (("AssignLatePenalties", "BasePlugin"), ("ExportApp", "ExportPlugin"))
SECTION = "CourseKit"  # section of coursekit's own options
_OF_GRADING = ("cell_timeout_s", "call_timeout_s", "run_experiments", "sandbox", "jobs")  # see grading.options
# Never released: hidden files, submissions and marks, and the configuration, which may contain a password.
_NEVER_SHARED = ("hidden", "source", "release", "submitted", "autograded", "feedback", "solution", "downloaded",
                 "gradebook.db", ".coursekit", CONFIG, _JSON)  # fmt: skip
# Sections whose options nbgrader's applications rename, or read themselves.
_OF_APPLICATIONS = ("NbGrader", "NbGraderConfig", "BasicConfig", "BaseNbGraderApp", "BaseApp", "TransferApp",
                    "BaseNbConvertApp")  # fmt: skip
_for_a_command = False


@dataclass(frozen=True)
class Facts:
    """The course facts in the configuration.

    ``course_id`` is nbgrader's. ``assignments`` are in their order; others follow them, sorted by name.
    ``shared_files`` are files and folders at the top of the course that every release gets.
    """

    course_id: str = ""
    assignments: tuple[str, ...] = ()
    shared_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class _LoadedConfig:
    """A configuration, with the state of all files that it was read from."""

    config: Any
    facts: Facts
    imported: tuple[Path, ...]  # modules of the course that the configuration file imported
    state: tuple[Any, ...]
    complete: bool = False  # whether its plug-ins are classes


_cache: dict[Path, _LoadedConfig] = {}


def of(root: Path) -> Any:
    """The traitlets Config of the course in ``root``, with plug-ins imported as classes. Raises CourseError.

    The file runs again only if it, a module that it imports from the course, or the environment has changed.
    """
    current = _current(root)
    if not current.complete:
        current = _cache[root] = _completed(root, current)
    return copy.deepcopy(current.config)


def facts(root: Path) -> Facts:
    """The course facts of the course in ``root``. Raises CourseError."""
    return _current(root).facts


def _current(root: Path) -> "_LoadedConfig":
    cached = _cache.get(root)
    if cached is None or cached.state != _state(root, cached.imported):
        cached = _cache[root] = _read(root)
    return cached


def is_read_for_a_command() -> bool:
    """Whether the running configuration file is read for a command of coursekit, not for an nbgrader application."""
    return _for_a_command


@contextmanager
def for_a_command() -> Iterator[None]:
    """Mark configurations read within as read for a command of coursekit, so nbgrader's applications stay unchanged."""
    global _for_a_command
    before, _for_a_command = _for_a_command, True
    try:
        yield
    finally:
        _for_a_command = before


def _state(root: Path, imported: tuple[Path, ...]) -> tuple[Any, ...]:
    from jupyter_core.paths import jupyter_config_path

    folders = (*map(Path, jupyter_config_path()), root)
    names = [folder / f"{stem}{suffix}" for folder in folders for stem in ("jupyter_config", "nbgrader_config")
             for suffix in (".py", ".json")]  # fmt: skip
    files = []
    for path in (*names, *imported):
        try:
            found = path.stat()
            files.append((path, found.st_mtime_ns, found.st_size))
        except OSError:
            continue
    return (*files, os.environ.get("COURSE_DB_URL", ""))


def _read(root: Path) -> _LoadedConfig:
    with for_a_command(), _course_modules(root) as imported:
        config = _merged(root)
        facts = _facts(root, config)
    return _LoadedConfig(config, facts, tuple(imported), _state(root, tuple(imported)))


def _completed(root: Path, read: _LoadedConfig) -> _LoadedConfig:
    """The same with plug-ins imported as classes, and the types of its options validated. Raises CourseError."""
    config = copy.deepcopy(read.config)
    with for_a_command(), _course_modules(root) as imported:
        for section, kind in _PLUGINS:
            _resolve(config, section, kind)
        resolve_steps(config)
        _validate(config)
    files = (*read.imported, *imported)
    return replace(read, config=config, imported=files, state=_state(root, files), complete=True)


def _facts(root: Path, config: Any) -> Facts:
    """The options of the section ``CourseKit``, validated. Raises CourseError."""
    said = dict(config.get(SECTION, {}))
    named = {}
    for option in ("assignments", "shared_files"):
        value, where = said.pop(option, ()), f"{CONFIG}: {SECTION}.{option}"
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
            raise CourseError(where, f"{value!r} is no list of names", "write a list of strings")
        named[option] = tuple(dict.fromkeys(one.rstrip("/") or "/" for one in value))
    for option in (name for name in said if name not in _OF_GRADING):
        near = difflib.get_close_matches(option, (*named, *_OF_GRADING), 1)
        found = "there is no such option" + (f"; do you mean {near[0]}?" if near else "")
        raise CourseError(f"{CONFIG}: {SECTION}.{option}", found, "remove it, or write its name as it is")
    for name in named["shared_files"]:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or path.parts[0].casefold() in _NEVER_SHARED:
            found = f"{name} cannot be handed out with every assignment"
            raise CourseError(f"{CONFIG}: {SECTION}.shared_files", found, "name files at the top of the course")
        if not (root / name).exists():
            raise CourseError(f"{CONFIG}: {SECTION}.shared_files", f"there is no {name}", "take it off the list")
    return Facts(str(config.CourseDirectory.get("course_id", "")), **named)


def _merged(root: Path) -> Any:
    """The configuration that an nbgrader application has when it is started in ``root``."""
    from jupyter_core.application import JupyterApp

    config = _loaded(root, JupyterApp, config_file_name="nbgrader_config")
    if any(config.get(name) for name in _OF_APPLICATIONS) or "course_id" in config.Exchange:
        from nbgrader.apps.baseapp import NbGrader

        return _loaded(root, NbGrader)
    return config


def _loaded(root: Path, kind: Any, **traits: Any) -> Any:
    """The configuration of an application of this kind."""
    from jupyter_core.application import JupyterApp

    said: list[str] = []
    log = logging.Logger("coursekit.model.settings")
    log.addHandler(_ErrorMessages(said))
    application = kind(log=log, raise_config_file_errors=True, **traits)
    application.load_cwd_config = False  # the course directory is read below, not the working directory
    try:
        application.load_config_file(suppress_errors=False)
        super(JupyterApp, application).load_config_file("nbgrader_config", path=str(root))
        return application.config
    except (Exception, SystemExit) as error:  # the configuration is a program, and may fail in any way
        where, line = _error_location(error)
        cause = said[-1] if isinstance(error, SystemExit) and said else f"{type(error).__name__}: {error}"
        found = f"it cannot be used ({one_line(cause)}{line})"
        raise CourseError(where or _broken_json(root) or CONFIG, found, "fix it") from None


class _ErrorMessages(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())


def _error_location(error: BaseException) -> tuple[str, str]:
    """The configuration file that failed, and the line in words; "" if unknown."""
    if isinstance(error, SyntaxError) and Path(error.filename or "").suffix == ".py":
        return Path(str(error.filename)).name, ""  # its message names the line
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith("_config.py")]
    return (Path(frames[-1].filename).name, f", line {frames[-1].lineno}") if frames else ("", "")


def _broken_json(root: Path) -> str:
    try:
        json.loads((root / _JSON).read_text(encoding="utf-8"))
    except OSError:
        return ""
    except ValueError:
        return _JSON
    return ""


def _resolve(config: Any, section: str, kind: str) -> None:
    """Replace the plug-in that a section names by its class. Raises CourseError if that is not of the right kind."""
    from nbgrader import plugins
    from traitlets.utils.importstring import import_item

    wanted = getattr(plugins, kind, None) or getattr(plugins.base, kind)
    named = config[section].get("plugin_class") if section in config else None
    if named is None:
        return
    where = f"{CONFIG}: {section}.plugin_class"
    try:
        found = import_item(named) if isinstance(named, str) else named
    except Exception as error:  # importing runs code of the course
        raise CourseError(where, f"{named} cannot be imported ({one_line_with_type(error)})", "fix it") from None
    if not (isinstance(found, type) and issubclass(found, wanted)):
        raise CourseError(where, f"{named!r} is no {kind} of nbgrader", "name a class that inherits from it") from None
    config[section].plugin_class = found


def _validate(config: Any) -> None:
    """Check the types of the options for folders, late policy and export. Raises CourseError."""
    from nbgrader import plugins
    from nbgrader.coursedir import CourseDirectory

    policy = config.AssignLatePenalties.get("plugin_class", plugins.LateSubmissionPlugin)
    exporter = config.ExportApp.get("plugin_class", plugins.CsvExportPlugin)
    for kind in (CourseDirectory, policy, exporter):
        if not any(base.__name__ in config for base in kind.__mro__):
            continue
        try:
            kind(config=config)
        except TraitError as error:
            found = f"it cannot be used ({one_line(error)})"
            raise CourseError(f"{CONFIG}: {kind.__name__}", found, "fix it") from None
        except Exception:  # a plug-in of the course: its errors are reported where it is used
            continue


def resolve_steps(config: Any) -> None:
    """Replace the names of Autograde's preprocessors by classes. Raises CourseError."""
    named = config.Autograde.get("autograde_preprocessors")
    if isinstance(named, list):
        named[:] = steps(named)


def steps(named: Iterable[Any]) -> list[Any]:
    """Autograde's preprocessors, of which some may be names, as classes. Raises CourseError."""
    from traitlets.utils.importstring import import_item

    try:
        return [import_item(one) if isinstance(one, str) else one for one in named]
    except Exception as error:  # importing runs code of the course
        where, said = f"{CONFIG}: Autograde.autograde_preprocessors", one_line_with_type(error)
        raise CourseError(where, f"a step cannot be imported ({said})", "fix it") from None


@contextmanager
def _course_modules(root: Path) -> Iterator[list[Path]]:
    """Make modules in ``root`` importable within, as in nbgrader applications, which are started there.

    Yields the files of the imported ones. They are unloaded afterwards: another course may have modules with the same
    names.
    """
    imported: list[Path] = []
    if str(root) in sys.path or root == CHECKOUT:
        yield imported
        return
    before = set(sys.modules)
    sys.path.append(str(root))  # last: must not shadow a module of the engine
    try:
        yield imported
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(root):
                imported.append(Path(file))
                del sys.modules[name]

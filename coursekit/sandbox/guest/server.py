"""The fork server: it imports everything once and forks one child per submission, one at a time.

In a sandbox it is pid 1: what it kills with ``kill(-1)`` is everything there is besides itself, and when it ends, all
ends. It runs no code of a student's, reads nothing that a child writes, and has no handler for any signal.
"""

import gc
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from . import child, figure_cache, restrict
from .child import ServerSettings
from .cleanup import names_in, remove, wipe
from .control import Control
from .service import Service


def main() -> None:
    """Serve the control socket whose descriptor is the first argument, until the other side closes it."""
    restrict.hide_memory()
    control = Control(int(sys.argv[1]))
    message, descriptors = control.receive()
    settings = _settings(message, descriptors[0])
    for name in child.IGNORED_BY_SERVER:
        signal.signal(name, signal.SIG_IGN)
    if not settings.namespaced:
        restrict.adopt_orphans()
    child.remove_own_path()
    shell, drawn = _warm(settings, message["modules"], message["beforehand"], message["pictures"])
    if settings.landlock:
        os.close(restrict.landlock_ruleset(settings.scratch))  # it can be made, and what making one imports is there
    tasks = len(names_in("/proc/self/task")) if sys.platform == "linux" else 1
    if tasks != 1:
        raise RuntimeError(f"{tasks} threads before the fork: a child would inherit their locks")
    fonts = {path.name: path.read_text("utf-8") for path in Path(os.environ["MPLCONFIGDIR"]).glob("fontlist-*.json")}
    wipe(settings.scratch)
    gc.collect()
    gc.freeze()
    control.send({"ready": True, "fonts": fonts, "drawn": drawn})
    try:
        Service(control, settings, shell).run()
    finally:
        if not settings.namespaced:  # the namespace goes with pid 1, but a folder of this machine does not
            remove(settings)


def _settings(message: dict[str, Any], bundle: int) -> ServerSettings:
    trusted: dict[str, bytes] = {}
    at_home: dict[str, bytes] = {}
    for kind, name, size in message["table"]:
        (trusted if kind == "trusted" else at_home)[name] = _read(bundle, size)
    os.close(bundle)
    return ServerSettings(
        limits=message["limits"],
        home=message["home"],
        folder=message["folder"],
        scratch=tuple(message["scratch"]),
        namespaced=message["namespaced"],
        landlock=message["landlock"],
        filter=bytes.fromhex(message["filter"]),
        trusted=trusted,
        at_home=at_home,
    )


def _read(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.read(descriptor, min(size, 1 << 24))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _warm(
    settings: ServerSettings, modules: list[str], warm_up_calls: list[list[Any]], figures: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The shell, made; the trusted modules, imported from the very paths that the children's copies will have.

    A module with a function ``warm_up`` has it called. And every call ``beforehand`` is made: (module, function,
    arguments, keyword arguments). Its module remembers it.
    ``pictures`` are those that an earlier server drew; what was drawn besides is returned, with them.
    """
    child.write_course_files(settings)
    os.chdir(settings.folder)
    from . import caller, shell  # noqa: F401 - probing is for the children

    made = shell.make_shell()
    sys.path.insert(0, settings.folder)
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # a child will meet the same error, in the cell that imports it
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            sys.modules.pop(name, None)
    before = figure_cache.remember(settings.folder, figures)
    for name in modules:
        try:
            getattr(sys.modules.get(name), "warm_up", lambda: None)()
        except Exception as error:  # a child will meet the same error
            print(f"{name}.warm_up: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    for module, function, args, kwargs in warm_up_calls:
        try:
            getattr(sys.modules[module], function)(*args, **kwargs)
        except Exception as error:
            print(f"{module}.{function}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    sys.path.remove(settings.folder)
    os.chdir("/")
    drawn = figure_cache.remembered(settings.folder)
    return made, drawn if sum(map(len, drawn.values())) > before else {}


if __name__ == "__main__":
    main()

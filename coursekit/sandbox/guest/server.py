"""The fork server: it imports everything once and forks one child per submission, one at a time.

In a sandbox it is pid 1: ``kill(-1)`` kills all other processes, and when it ends, the kernel kills them. It runs no
student code, reads nothing that a child writes, and has no signal handlers.
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
    """Serve the control socket whose descriptor is the first argument, until the grader closes it."""
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
        os.close(
            restrict.landlock_ruleset(settings.scratch)
        )  # checks that it works, and imports its modules before the fork
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
        if not settings.namespaced:  # a namespace's files vanish with pid 1, a host folder has to be deleted
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
    """Warm-up: make the shell, import the trusted modules, call their ``warm_up`` and make all ``warm_up_calls``.

    The modules are imported from the paths that the children's copies will have. A call is (module, function,
    arguments, keyword arguments); its module caches the result. ``figures`` are the caches of an earlier server.
    Returns the shell, and the caches if there is anything new in them.
    """
    child.write_course_files(settings)
    os.chdir(settings.folder)
    from . import caller, shell  # noqa: F401 - caller is imported here for the children

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

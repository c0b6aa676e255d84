"""The fork server: it imports everything once and forks one child per submission, one at a time.

In a sandbox it is pid 1: what it kills with ``kill(-1)`` is everything there is besides itself, and when it ends, all
ends. It runs no code of a student's, reads nothing that a child writes, and has no handler for any signal.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import album, channel, child, confine
from .child import Settings
from .meter import Mappings, ended, overuse, usage
from .sweep import kill_all, names_in, remove, wipe

TICK_S = 0.05  # how often memory and files are counted while a child runs


@dataclass
class Ward:
    """The child that runs now."""

    pid: int
    pidfd: int  # -1 where there is no such thing
    waited: int  # its /proc/PID/schedstat, kept open: else the kernel may forget that Landlock lets the child read it
    over: bool = False  # it has ended, or was killed, and the outside knows
    before_s: float = 0.0  # computed by those that had ended before it began


def main() -> None:
    """Serve the control socket whose descriptor is the first argument, until the other side closes it."""
    confine.hide_memory()
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    message, descriptors = _receive(control)
    settings = _settings(message, descriptors[0])
    for name in child.IGNORED_BY_SERVER:
        signal.signal(name, signal.SIG_IGN)
    if not settings.namespaced:
        confine.adopt_orphans()
    child.without_own_path()
    shell, drawn = _warm(settings, message["modules"], message["beforehand"], message["pictures"])
    if settings.landlock:
        os.close(confine.landlock_rules(settings.scratch))  # it can be made, and what making one imports is there
    tasks = len(names_in("/proc/self/task")) if sys.platform == "linux" else 1
    if tasks != 1:
        raise RuntimeError(f"{tasks} threads before the fork: a child would inherit their locks")
    fonts = {path.name: path.read_text("utf-8") for path in Path(os.environ["MPLCONFIGDIR"]).glob("fontlist-*.json")}
    wipe(settings.scratch)
    gc.collect()
    gc.freeze()
    _send(control, {"ready": True, "fonts": fonts, "drawn": drawn})
    try:
        _serve(control, settings, shell)
    finally:
        if not settings.namespaced:  # the namespace goes with pid 1, but a folder of this machine does not
            remove(settings)


def _settings(message: dict[str, Any], bundle: int) -> Settings:
    trusted: dict[str, bytes] = {}
    at_home: dict[str, bytes] = {}
    for kind, name, size in message["table"]:
        (trusted if kind == "trusted" else at_home)[name] = _read(bundle, size)
    os.close(bundle)
    return Settings(
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
    settings: Settings, modules: list[str], beforehand: list[list[Any]], pictures: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The shell, made; the trusted modules, imported from the very paths that the children's copies will have.

    A module with a function ``warm_up`` has it called. And every call ``beforehand`` is made: (module, function,
    arguments, keyword arguments). Its module remembers it.
    ``pictures`` are those that an earlier server drew; what was drawn besides is returned, with them.
    """
    child.lay_out(settings)
    os.chdir(settings.folder)
    from . import probing, shell  # noqa: F401 - probing is for the children

    made = shell.make_shell()
    sys.path.insert(0, settings.folder)
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # a child will meet the same error, in the cell that imports it
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            sys.modules.pop(name, None)
    before = album.remember(settings.folder, pictures)
    for name in modules:
        try:
            getattr(sys.modules.get(name), "warm_up", lambda: None)()
        except Exception as error:  # a child will meet the same error
            print(f"{name}.warm_up: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    for module, function, args, kwargs in beforehand:
        try:
            getattr(sys.modules[module], function)(*args, **kwargs)
        except Exception as error:
            print(f"{module}.{function}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    sys.path.remove(settings.folder)
    os.chdir("/")
    drawn = album.remembered(settings.folder)
    return made, drawn if sum(map(len, drawn.values())) > before else {}


def _serve(control: socket.socket, settings: Settings, shell: Any) -> None:
    ward: Ward | None = None
    mappings = Mappings()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll(None if ward is None or ward.over else TICK_S * 1000)}
        if ward is not None and not ward.over:
            why = _ended(ward) or overuse(settings, mappings)
            if why:
                _watch(poll, ward, False)
                kill_all(settings, 0 if ward is None or ward.over else ward.pid)
                ward.over = True
                _send(control, {"died": why})
        if control.fileno() not in ready:
            continue
        message, descriptors = _receive(control)
        match message.get("op"):
            case "fork":
                ward = _fork(settings, shell, descriptors, message["table"])
                _watch(poll, ward, True)
                _send(control, {"forked": ward.pid})
            case "interrupt":
                if ward is not None and not ward.over:
                    _signal_group(ward.pid)
                _send(control, {"interrupted": True})  # a later one would meet the next cell
            case "usage":
                _send(control, {"usage": _usage(settings, ward) if ward is not None and not ward.over else (0.0, 0.0)})
            case "end":
                if ward is not None:
                    _watch(poll, ward, False)
                    if ward.waited >= 0:
                        os.close(ward.waited)
                _send(control, {"ended": _clean_up(settings, ward)})
                ward = None
            case _:  # the other side has closed the socket, or was killed
                kill_all(settings, 0 if ward is None or ward.over else ward.pid)
                return


def _fork(settings: Settings, shell: Any, descriptors: list[int], table: list[Any]) -> Ward:
    line, bundle = descriptors
    before_s = ended()
    pid = os.fork()
    if pid == 0:
        child.live(shell, settings, line, bundle, [(name, size) for name, size in table])
    os.close(line)
    os.close(bundle)
    try:
        waited = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
    except OSError:
        waited = -1
    return Ward(pid, os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1, waited, before_s=before_s)


def _usage(settings: Settings, ward: Ward) -> tuple[float, float]:
    waited_s, used_s = usage(settings, ward.pid)
    return waited_s, used_s - ward.before_s


def _watch(poll: Any, ward: Ward, begin: bool) -> None:
    if ward.pidfd < 0:
        return
    if begin:
        poll.register(ward.pidfd, select.POLLIN)
    else:
        poll.unregister(ward.pidfd)
        os.close(ward.pidfd)
        ward.pidfd = -1


def _ended(ward: Ward) -> str:
    """In words, how the child ended; empty while it runs. Orphans that ended are reaped on the way."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return "the process of the notebook is gone"
        if pid == 0:
            return ""
        if pid == ward.pid and not os.WIFSTOPPED(status):  # without seccomp, a child can make this its tracer
            return _in_words(status)


def _in_words(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "the process of the notebook used up its processor time"
        return f"the process of the notebook was ended by signal {number} ({signal.Signals(number).name})"
    return f"the process of the notebook ended with exit status {os.WEXITSTATUS(status)}"


def _clean_up(settings: Settings, ward: Ward | None) -> dict[str, Any]:
    """Kills everything, wipes everything, and says whether nothing at all is left."""
    try:
        kill_all(settings, 0 if ward is None or ward.over else ward.pid)
        wipe(settings.scratch)
        left = [name for folder in settings.scratch for name in names_in(folder)]
        if settings.namespaced:
            left += [name for name in names_in("/proc") if name.isdigit() and name != "1"]
    except (OSError, RecursionError) as error:
        return {"clean": False, "why": f"{type(error).__name__}: {error}"[:300]}
    return {"clean": not left, "why": ", ".join(left)[:300]}


def _signal_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGINT)
    except (ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGINT)


def _receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and the descriptors that came with it; {} at the end."""
    data, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 2)
    while data and not data.endswith(b"\n"):
        if not (more := control.recv(1 << 16)):
            return {}, []
        data += more
    return (json.loads(data) if data else {}), list(descriptors)


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(channel.encode(message))


if __name__ == "__main__":
    main()

"""Clean-up after a child: kills its processes and deletes its files."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from .child import ServerSettings


def kill_all(settings: ServerSettings, pid: int = 0) -> None:
    """Kill all other processes in a sandbox; without one, all descendants of this process."""
    if settings.namespaced:
        if os.getpid() != 1:
            raise RuntimeError("not pid 1: kill(-1) would reach beyond the sandbox")
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
    elif pid:
        _kill(pid)
    while True:
        if not settings.namespaced:
            for each in _descendants(os.getpid()):
                _kill(each)
        try:
            if os.waitpid(-1, 0 if settings.namespaced else os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for name in names_in("/proc") if Path("/proc/self/stat").exists() else ():
        if name.isdigit():
            try:
                fields = Path("/proc", name, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                parents[int(name)] = int(fields[1])
            except (OSError, IndexError, ValueError):
                continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {root})


def remove(settings: ServerSettings) -> None:
    """Delete the private folder of a server without isolation."""
    with suppress(OSError, RecursionError):
        wipe(settings.scratch)
        for folder in settings.scratch:
            Path(folder).rmdir()
        Path(settings.home).parent.rmdir()


def wipe(folders: tuple[str, ...]) -> None:
    """Empty the folders, and reset their permissions and times."""
    for folder in folders:
        if Path(folder).is_symlink():  # without isolation, a submission could replace the folder
            raise NotADirectoryError(folder)
        Path(folder).chmod(0o700 if folder == folders[0] else 0o1777)
        with os.scandir(folder) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()
        os.utime(folder, (0, 0))


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def names_in(folder: str) -> list[str]:
    """The names of the entries of a folder."""
    return [path.name for path in Path(folder).iterdir()]

"""Processes as a test sees them, by /proc: which there are, whose child each is, and which of ours runs what."""

import os
import signal
from pathlib import Path

POISON = "poison"
# A cell that can be found from outside, and runs until it is stopped.
NAMED_AND_ENDLESS = f"""import ctypes
ctypes.CDLL(None).prctl(15, b"{POISON}", 0, 0, 0)
while True:
    pass"""


def parents() -> dict[int, int]:
    """Every process, and its parent; those that have ended and were not fetched yet are none."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(folder.name)] = int(parent)
    return found


def descendants(pid: int) -> set[int]:
    """The process's children, their children, and so on."""
    known, found = parents(), {pid}
    while more := {child for child, parent in known.items() if parent in found} - found:
        found |= more
    return found - {pid}


def child_running(name: str, ancestor: int) -> int | None:
    """Of the ancestor's own children the one below which a process of this name runs, if there is one."""
    known = parents()
    for pid in known:
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() != name:
                continue
        except OSError:
            continue
        while known.get(pid) not in (ancestor, None):
            pid = known[pid]
        if known.get(pid) == ancestor:
            return pid
    return None


def kill(pid: int) -> None:
    """The process is killed, as kill -9 does."""
    os.kill(pid, signal.SIGKILL)

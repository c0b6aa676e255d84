"""Resource usage of all processes of a child together, which the limits of single processes do not bound."""

import os
import resource
import time
from pathlib import Path

from .child import ServerSettings
from .cleanup import names_in
from .cpu_wait import waited_s

_MIB = 1 << 20
_POLL_INTERVAL_S = 0.5  # between two counts of mappings; longer if counting would take over a twentieth of the time
_MAX_MAPPINGS_OF_ONE = 65_530  # the kernel's limit of one process


class Mappings:
    """Counts the memory mappings of all processes but this one: each takes kernel memory charged to no process."""

    def __init__(self) -> None:
        self._next = 0.0

    def exceed(self, limit: int) -> bool:
        """Whether there are more mappings than ``limit``; False without counting if the last count was just before."""
        began = time.monotonic()
        if began < self._next:
            return False
        found = 0
        for name in names_in("/proc"):
            if name.isdigit() and name != "1" and found <= limit:
                found += _mappings(name, limit - found)
        took_s = time.monotonic() - began
        self._next = began + took_s + max(_POLL_INTERVAL_S, 20 * took_s)
        return found > limit


def overuse(settings: ServerSettings, mappings: Mappings) -> str:
    """The sentence for the limit that the child's processes together exceed; empty if none."""
    if not settings.namespaced:
        return ""
    if mappings.exceed(settings.limits["mappings"]):
        return f"the notebook made more than {settings.limits['mappings']} memory mappings"
    limit = settings.limits["memory_mib"]
    if _resident_mib() > limit and _resident_mib(exact=True) > limit:
        return f"the notebook used more than {limit} MiB of memory"
    sockets = settings.limits["sockets"]
    if _sockets() > sockets:
        return f"the notebook opened more than {sockets} sockets"
    inodes = settings.limits["inodes"]
    for folder in settings.scratch:
        there = os.statvfs(folder)
        if there.f_files - there.f_ffree > inodes:
            return f"the notebook made more than {inodes} files"
    return ""


def cpu_usage(settings: ServerSettings, pid: int) -> tuple[float, float]:
    """CPU wait (the largest of any process of the child) and CPU time (of all of them together), in seconds.

    Both only grow. CPU time includes that of earlier children: subtract ``ended_cpu_s`` at the fork. Without a
    namespace only the process ``pid`` is measured.
    """
    pids = [str(pid)]
    if settings.namespaced:
        pids = [name for name in names_in("/proc") if name.isdigit() and name != "1"]
    return max(map(waited_s, pids), default=0.0), ended_cpu_s() + sum(map(_used_s, pids))


def ended_cpu_s() -> float:
    """CPU time of all ended and reaped descendants of this process, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _used_s(pid: str) -> float:
    """CPU time of a process and of its ended children."""
    try:
        fields = Path("/proc", pid, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return 0.0


def _resident_mib(exact: bool = False) -> float:
    """Resident memory of all processes but this one, in MiB; ``exact`` counts shared pages only once."""
    total = 0
    for name in names_in("/proc"):
        if name.isdigit() and name != "1":
            total += _proportional(name) if exact else _pages(name)
    return total / _MIB


def _proportional(pid: str) -> int:
    try:
        text = Path("/proc", pid, "smaps_rollup").read_text("ascii")
        return next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))
    except (OSError, StopIteration):  # a process that hides its memory is counted in full
        return _pages(pid)


def _pages(pid: str) -> int:
    try:
        return int(Path("/proc", pid, "statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has just ended
        return 0


def _mappings(pid: str, enough: int) -> int:
    """The number of mappings of a process; counting stops soon after ``enough``."""
    found = 0
    try:
        with open(f"/proc/{pid}/maps", "rb", buffering=0) as file:  # noqa: PTH123 - faster, and called twice a second
            while found <= enough and (part := file.read(_MIB)):
                found += part.count(b"\n")
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return found
    except OSError:  # a process that hides its memory: assume the maximum
        return _MAX_MAPPINGS_OF_ONE
    return found


def _sockets() -> int:
    """The number of sockets in this network namespace, including those in transit in another socket."""
    try:
        return int(Path("/proc/net/sockstat").read_text("ascii").split(maxsplit=3)[2])
    except (OSError, IndexError, ValueError):  # the kernel has no such file
        return 0

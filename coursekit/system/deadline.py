"""Load-aware timeouts for answers of the engine's own processes, which are slow only while other programs compute.

Such a timeout ends a hang; it limits no computation. A second counts in full while every runnable process has a
processor. If three processes share each processor, or the host gives this computer a third of its time, it counts a
third.
"""

import array
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coursekit.system import processors

MAX_EXTENSION = 10  # times the limit: beyond this load, give up instead of waiting
POLL_S = 0.5  # how often the load is measured


class HasFileno(Protocol):
    """An open socket, pipe or file."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class Deadline:
    """A load-aware timeout. Call ``left_s`` repeatedly while waiting: each call counts the load since the last one."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._began = self._measured_at = time.monotonic()
        self._last_load: Load | None = None  # not measured yet: a quick answer costs no measurement
        self._counted_s = 0.0

    def left_s(self) -> float:
        """Seconds of waiting left at the present load; zero or less after the timeout."""
        if self.limit_s <= 0:  # a caller that does not wait needs no load, and calls this for every cell
            return 0.0
        now = time.monotonic()
        if now - self._measured_at >= POLL_S or now - self._began >= self.limit_s:
            load = Load.now()
            self._counted_s += (now - self._measured_at) * load.cpu_share(self._last_load or load)
            self._measured_at, self._last_load = now, load
        longest_s = self.limit_s * MAX_EXTENSION - (now - self._began)
        return min(longest_s, self.limit_s - self._counted_s - (now - self._measured_at))

    def slice_s(self) -> float:
        """Seconds to wait before the next call of ``left_s``."""
        return min(POLL_S, max(0.0, self.left_s()))


@dataclass(frozen=True)
class Load:
    """The load of this computer: runnable processes, and CPU steal time (taken by the host of a virtual machine)."""

    runnable: float
    stolen: int = 0  # both in clock ticks since boot
    ticks: int = 0

    @classmethod
    def now(cls, stat_file: Path = Path("/proc/stat")) -> "Load":
        """The load in ``/proc/stat``, read in about 50 µs; without that file, the load average of the last minute."""
        try:
            lines = stat_file.read_text("ascii").splitlines()
            spent = [int(field) for field in lines[0].split()[1:9]]  # user nice system idle iowait irq softirq steal
            (running,) = [line.split()[1] for line in lines if line.startswith("procs_running ")]
            return cls(int(running), spent[7], sum(spent))
        except (OSError, ValueError, IndexError):
            return cls(os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0)

    def cpu_share(self, before: "Load") -> float:
        """The share of a processor that a runnable process had from ``before`` until now; 1 on an idle computer."""
        crowd = max(self.runnable, before.runnable) / processors.available()
        ticks = self.ticks - before.ticks
        host = 1 - (self.stolen - before.stolen) / ticks if ticks > 0 else 1.0
        return min(1.0, max(0.0, host) / max(1.0, crowd))


def readable(line: HasFileno, deadline: Deadline) -> bool:
    """Whether the socket or pipe has data or is at its end before the deadline."""
    return _until(lambda wait_s: _polled(line, select.POLLIN, wait_s), deadline)


def send(line: socket.socket, data: bytes, deadline: Deadline, descriptors: Sequence[int] = ()) -> None:
    """Send all of the data. Raises OSError, and TimeoutError if the other side does not read it before the deadline."""
    view = memoryview(data)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    while view:
        if not _until(lambda wait_s: _polled(line, select.POLLOUT, wait_s), deadline):
            raise TimeoutError(f"nobody has read for {deadline.limit_s:g} s")
        with suppress(BlockingIOError):
            sent = line.sendmsg([view], rights, socket.MSG_DONTWAIT)  # socket.send_fds of Python 3.11 drops the flags
            view, rights = view[sent:], []


def ended(process: "subprocess.Popen[bytes]", deadline: Deadline) -> bool:
    """Whether the process ends before the deadline; then its ``returncode`` is set."""

    def wait(wait_s: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        return process.returncode is not None

    return _until(wait, deadline)


def _polled(line: HasFileno, event: int, wait_s: float) -> bool:
    poll = select.poll()
    poll.register(line, event)
    return bool(poll.poll(wait_s * 1000))


def _until(happens: Callable[[float], bool], deadline: Deadline) -> bool:
    while not happens(deadline.slice_s()):
        if deadline.left_s() <= 0:
            return happens(0)
    return True

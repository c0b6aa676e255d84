"""Deadlines that a busy machine puts off: for answers of our own processes, which are late only where others compute.

Such a limit exists to end a hang, never to hurry anybody. Seconds count in full while there is a processor for whoever
wants one. Where three processes share each processor, or a host gives us a third of its time, a second counts a third.
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

from coursekit.system import processors

MAX_EXTENSION = 10  # times the limit: a machine as busy as that would never be done
POLL_S = 0.5  # how often the load is looked at


class Deadline:
    """A time limit. Ask ``left_s`` again and again while waiting: each call looks at the load since the last one."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._began = self._looked = time.monotonic()
        self._before: Load | None = None  # what is answered at once costs no look
        self._counted_s = 0.0

    def left_s(self) -> float:
        """Seconds that may still pass, as busy as the machine is now; zero or less when the time is over."""
        if self.limit_s <= 0:  # whoever does not wait needs no load, and asks at every cell
            return 0.0
        now = time.monotonic()
        if now - self._looked >= POLL_S or now - self._began >= self.limit_s:
            load = Load.now()
            self._counted_s += (now - self._looked) * load.our_share(self._before or load)
            self._looked, self._before = now, load
        longest_s = self.limit_s * MAX_EXTENSION - (now - self._began)
        return min(longest_s, self.limit_s - self._counted_s - (now - self._looked))

    def slice_s(self) -> float:
        """How long to wait now, before ``left_s`` is asked again."""
        return min(POLL_S, max(0.0, self.left_s()))


@dataclass(frozen=True)
class Load:
    """How busy the machine is: processes that run or want to, and the processor time that its host gave to others."""

    runnable: float
    stolen: int = 0  # these two in ticks, since the machine has started
    ticks: int = 0

    @classmethod
    def now(cls, told: Path = Path("/proc/stat")) -> "Load":
        """From the system, in some 50 µs; where that tells nothing, by the average of the last minute."""
        try:
            lines = told.read_text("ascii").splitlines()
            spent = [int(field) for field in lines[0].split()[1:9]]  # user nice system idle iowait irq softirq steal
            (running,) = [line.split()[1] for line in lines if line.startswith("procs_running ")]
            return cls(int(running), spent[7], sum(spent))
        except (OSError, ValueError, IndexError):
            return cls(os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0)

    def our_share(self, before: "Load") -> float:
        """Of a processor, what a process had that wanted to run from ``before`` until now; 1 on a quiet machine."""
        crowd = max(self.runnable, before.runnable) / processors.available()
        ticks = self.ticks - before.ticks
        host = 1 - (self.stolen - before.stolen) / ticks if ticks > 0 else 1.0
        return min(1.0, max(0.0, host) / max(1.0, crowd))


def readable(line: socket.socket, deadline: Deadline) -> bool:
    """Whether there is something to read, or the end of it, before the time is over."""
    return _until(lambda wait_s: _polled(line, select.POLLIN, wait_s), deadline)


def send(line: socket.socket, data: bytes, deadline: Deadline, descriptors: Sequence[int] = ()) -> None:
    """All of it was sent. Raises OSError, and TimeoutError where nobody reads it until the time is over."""
    view = memoryview(data)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    while view:
        if not _until(lambda wait_s: _polled(line, select.POLLOUT, wait_s), deadline):
            raise TimeoutError(f"nobody has read for {deadline.limit_s:g} s")
        with suppress(BlockingIOError):
            sent = line.sendmsg([view], rights, socket.MSG_DONTWAIT)  # socket.send_fds of Python 3.11 drops the flags
            view, rights = view[sent:], []


def ended(process: "subprocess.Popen[bytes]", deadline: Deadline) -> bool:
    """Whether the process has ended before the time is over; then its ``returncode`` is known."""

    def wait(wait_s: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        return process.returncode is not None

    return _until(wait, deadline)


def _polled(line: socket.socket, event: int, wait_s: float) -> bool:
    poll = select.poll()
    poll.register(line, event)
    return bool(poll.poll(wait_s * 1000))


def _until(happens: Callable[[float], bool], deadline: Deadline) -> bool:
    while not happens(deadline.slice_s()):
        if deadline.left_s() <= 0:
            return happens(0)
    return True

"""The child that runs now: forked, watched and interrupted by the fork server."""

import os
import signal
from dataclasses import dataclass
from typing import Any

from . import child
from .child import ServerSettings
from .resource_usage import cpu_usage, ended_cpu_s


@dataclass
class RunningChild:
    """A child of the fork server, from its fork to the end of its submission.

    ``pidfd`` becomes readable when it ends; -1 where the system has none. ``schedstat`` is its /proc/PID/schedstat,
    kept open: else the kernel may forget that Landlock lets the child read it. ``before_s`` is the processor time of
    all those that had ended before it began.
    """

    pid: int
    pidfd: int
    schedstat: int
    before_s: float
    over: bool = False  # it has ended, or was killed, and the outside knows

    def exit_reason(self) -> str:
        """In words, how the child ended; empty while it runs. Orphans that ended are reaped on the way."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return "the process of the notebook is gone"
            if pid == 0:
                return ""
            if pid == self.pid and not os.WIFSTOPPED(status):  # without seccomp, a child can make this its tracer
                return _in_words(status)

    def usage(self, settings: ServerSettings) -> tuple[float, float]:
        """Seconds that its processes have waited for a processor, and that they have used one."""
        waited_s, used_s = cpu_usage(settings, self.pid)
        return waited_s, used_s - self.before_s

    def interrupt(self) -> None:
        """Its process group has a SIGINT."""
        try:
            os.killpg(self.pid, signal.SIGINT)
        except (ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGINT)

    def close(self) -> None:
        """Nothing of it is open here."""
        if self.schedstat >= 0:
            os.close(self.schedstat)


def fork(settings: ServerSettings, shell: Any, descriptors: list[int], table: list[Any]) -> RunningChild:
    """A new child, with its line to the outside and the bundle of the student's own files."""
    line, bundle = descriptors
    before_s = ended_cpu_s()
    pid = os.fork()
    if pid == 0:
        child.serve(shell, settings, line, bundle, [(name, size) for name, size in table])
    os.close(line)
    os.close(bundle)
    try:
        schedstat = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
    except OSError:
        schedstat = -1
    return RunningChild(pid, os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1, schedstat, before_s)


def _in_words(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "the process of the notebook used up its processor time"
        return f"the process of the notebook was ended by signal {number} ({signal.Signals(number).name})"
    return f"the process of the notebook ended with exit status {os.WEXITSTATUS(status)}"

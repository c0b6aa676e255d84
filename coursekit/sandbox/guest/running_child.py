"""The running child, as the fork server forks, monitors and interrupts it."""

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

    pidfd       becomes readable when the child ends; -1 if the system has none
    schedstat   its /proc/PID/schedstat, kept open: else the kernel may drop the inode for which Landlock allows reading
    before_s    CPU time of the descendants of the server that ended before the fork
    """

    pid: int
    pidfd: int
    schedstat: int
    before_s: float
    over: bool = False  # it has ended, or was killed, and the grader has been notified

    def exit_reason(self) -> str:
        """The sentence that says how the child ended; empty while it runs. Also reaps ended orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return "the process of the notebook is gone"
            if pid == 0:
                return ""
            if pid == self.pid and not os.WIFSTOPPED(
                status
            ):  # stopped: without seccomp, a child can make this process its tracer
                return _in_words(status)

    def usage(self, settings: ServerSettings) -> tuple[float, float]:
        """CPU wait and CPU time of its processes in seconds."""
        waited_s, used_s = cpu_usage(settings, self.pid)
        return waited_s, used_s - self.before_s

    def interrupt(self) -> None:
        """Send its process group a SIGINT."""
        try:
            os.killpg(self.pid, signal.SIGINT)
        except (ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGINT)

    def close(self) -> None:
        """Close its ``schedstat``."""
        if self.schedstat >= 0:
            os.close(self.schedstat)


def fork(settings: ServerSettings, shell: Any, descriptors: list[int], table: list[Any]) -> RunningChild:
    """Fork a child. ``descriptors``: its socket to the grader and the bundle of student files (see ``child.serve``)."""
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

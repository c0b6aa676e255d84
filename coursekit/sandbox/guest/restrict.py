"""Restricts a child before any student code runs: resource limits, Landlock and seccomp."""

import contextlib
import ctypes
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_PR_SET_SECCOMP, _MODE_FILTER, _INSTRUCTION = 22, 2, 8  # an instruction has 8 bytes
_MIB = 1 << 20
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
# The readable files of /proc: those that libraries need, and those of the process itself that reveal nothing about the
# host. The others reveal how the sandbox was started, its host paths, or counters that other submissions change.
_FACTS = ("cpuinfo", "meminfo", "version", "filesystems", "uptime", "loadavg", "sys/vm/overcommit_memory")
_OWN = ("stat", "statm", "status", "maps", "smaps", "smaps_rollup", "schedstat", "limits", "io", "mem",
        "cmdline", "comm", "environ", "auxv")  # fmt: skip


def _prctl(option: int, value: int) -> None:
    """Call prctl; does nothing on systems without it, such as macOS.

    Failures are ignored: these calls are additional layers, or ``./course doctor`` detects that they are missing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def hide_memory() -> None:
    """Forbid other processes to access this one's memory, descriptors or environment through /proc."""
    _prctl(_PR_SET_DUMPABLE, 0)


def show_memory() -> None:
    """Undo ``hide_memory`` in a child, which has nothing to hide."""
    _prctl(_PR_SET_DUMPABLE, 1)


def adopt_orphans() -> None:
    """Make orphans of a dead child children of this process, so that it can find and kill them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def set_limits(limits: Mapping[str, int]) -> None:
    """Set the limits of this process and its descendants; -1 is no limit. File sizes: see ``limit_file_size``."""
    wanted = {
        "RLIMIT_AS": limits["memory_mib"] * _MIB,
        "RLIMIT_CPU": limits["cpu_s"],
        "RLIMIT_NOFILE": limits["open_files"],
        "RLIMIT_NPROC": limits["processes"],
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 64 << 10,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NICE": 0,
        "RLIMIT_RTPRIO": 0,
        "RLIMIT_STACK": 8 * _MIB,
    }
    for name, value in wanted.items():
        _set_limit(name, value)
    with contextlib.suppress(OSError):  # if the computer runs out of memory, the kernel kills this first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def limit_file_size(file_mib: int) -> None:
    """Limit the size of each file that this process and its descendants write."""
    _set_limit("RLIMIT_FSIZE", file_mib * _MIB)


def _set_limit(name: str, value: int) -> None:
    which = getattr(resource, name, None)
    if which is None:
        return
    hard = resource.getrlimit(which)[1]
    if value == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError):
        if sys.platform == "linux":  # other systems lack some limits, and have no isolation anyway
            raise


def landlock_ruleset(writable: Sequence[str]) -> int:
    """Create a Landlock ruleset: read and execute everything, write only below ``writable`` and to harmless devices.

    In /proc only a few files are allowed, and of processes only this one's: so every child needs its own ruleset. Where
    the kernel supports it, signals and abstract sockets to processes outside and all TCP ports are forbidden. Returns
    the descriptor.
    """
    from py_landlock import AccessFs, PathBeneathAttr, RulesetAttr, add_rule, create_ruleset, get_abi_version
    from py_landlock.abi import get_supported_fs, get_supported_net, get_supported_scope

    abi = get_abi_version()
    known = get_supported_fs(abi)
    attributes = RulesetAttr()
    attributes.handled_access_fs = known
    attributes.handled_access_net = get_supported_net(abi)
    attributes.scoped = get_supported_scope(abi)
    ruleset = create_ruleset(attributes)

    def allow(path: str, access: Any) -> None:
        if not Path(path).exists():
            return
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = PathBeneathAttr()
            rule.allowed_access, rule.parent_fd = access & known, descriptor
            add_rule(ruleset, rule)
        finally:
            os.close(descriptor)

    to_read = AccessFs.READ_FILE | AccessFs.READ_DIR | AccessFs.EXECUTE
    to_use = AccessFs.READ_FILE | AccessFs.WRITE_FILE | AccessFs.TRUNCATE | AccessFs.IOCTL_DEV
    allow("/", AccessFs.READ_DIR)
    for folder in Path("/").iterdir():
        if folder.name != "proc" and folder.is_dir():
            allow(str(folder), to_read)
    for name in (*_FACTS, *(f"self/{name}" for name in _OWN)):
        allow(f"/proc/{name}", AccessFs.READ_FILE)
    for path in writable:
        allow(path, ~(AccessFs.MAKE_CHAR | AccessFs.MAKE_BLOCK | AccessFs.IOCTL_DEV))
    for path in _DEVICES:
        allow(path, to_use)
    allow("/dev/pts", to_use | AccessFs.READ_DIR)
    return ruleset


class _Program(ctypes.Structure):
    """The kernel's ``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def load_seccomp_filter(program: bytes) -> None:
    """Load a seccomp filter for this thread and all that it starts, irreversibly. Raises OSError."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    filtered = _Program(len(program) // _INSTRUCTION, program)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filtered), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter of system calls cannot be loaded")


def enforce(ruleset: int) -> None:
    """Enforce the ruleset for this thread and all that it starts, irreversibly."""
    from py_landlock import RulesetFd, restrict_self

    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    restrict_self(RulesetFd(ruleset), None)
    os.close(ruleset)

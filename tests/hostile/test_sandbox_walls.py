"""Attacks on the sandbox: each is refused or comes to nothing, and the next submission runs as if nothing had been.

The attacks are run by real children of one real sandbox. Every attack is bounded in count, size and time; the network
attacks aim at listeners of this test, the signals at processes of this test or of the sandbox.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.sandbox import client as sandbox
from coursekit.sandbox import isolation
from coursekit.sandbox.limits import ResourceLimits
from coursekit.sandbox.reply import Reply
from tests.classroom import ASSIGNMENT, ROOT, SELFCHECK
from tests.patience import until

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")

_BY_NAME = """ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp ioprio_set unshare clone setns mount umount2
    pivot_root chroot open_by_handle_at shmget semget msgget mq_open add_key keyctl request_key memfd_create bpf
    perf_event_open userfaultfd init_module kexec_load reboot swapon acct syslog settimeofday fanotify_init
    personality vmsplice readahead mincore preadv2 pwritev2 io_setup sync syncfs sync_file_range
    socket socketpair setsockopt getsockopt prlimit64 fcntl ioctl madvise seccomp prctl pidfd_open"""
_NEWER = {
    "io_uring_setup": 425,
    "open_tree": 428,
    "fsopen": 430,
    "clone3": 435,
    "openat2": 437,
    "cachestat": 451,
    "statmount": 457,
    "listmount": 458,
    "process_madvise": 440,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    "setxattrat": 463,
}


def calls() -> dict[str, int]:
    """The numbers of system calls on this machine."""
    import pyseccomp

    return {name: pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in _BY_NAME.split()} | _NEWER


LIMITS = ResourceLimits(memory_mib=1024, scratch_mib=32, processes=40, cpu_s=20, inodes=5_000, flood_mib=8, reply_mib=2)
SECRET = "the-token-of-the-gradebook-5021"
FILES = {name: ROOT / name for name in ("public_tests.py", "testCases.py", *SELFCHECK)}
FILES |= {name: ROOT / "source" / ASSIGNMENT / name for name in ("cases.py", "recorded.npz")}

# Every attack is told by what became of it: REFUSED, or GOT with what it got.
PRELUDE = """
import ctypes, errno, os, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def tell(what, action):
    try:
        got = action()
    except BaseException as error:
        print("REFUSED", what, type(error).__name__, getattr(error, "errno", ""))
    else:
        print("GOT", what, repr(got)[:300])

def call(name, *args):
    def action():
        got = libc.syscall(CALLS[name], *args)
        if got < 0:
            raise OSError(ctypes.get_errno(), "")
        return got
    tell(name, action)

def read(path, size=100):
    with open(path, "rb") as file:
        return file.read(size)
"""


class Outside:
    """What there is to steal and to break outside of the sandbox."""

    def __init__(self, folder: Path) -> None:
        self.gradebook = folder / "gradebook.db"
        self.gradebook.write_text(SECRET)
        self.gradebook.chmod(0o666)
        self.submission = folder / "submitted" / "bob" / "a.ipynb"
        self.submission.parent.mkdir(parents=True)
        self.submission.write_text(SECRET)
        self.decoy = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0coursekit-test-{os.getpid()}")
        self.abstract.listen()
        self.named = socket.socket(socket.AF_UNIX)
        self.named.bind(str(folder / "door"))
        self.named.listen()
        for listening in (self.listener, self.datagrams, self.abstract, self.named):
            listening.setblocking(False)
        self.paths = {
            "gradebook": str(self.gradebook),
            "submission": str(self.submission),
            "door": str(folder / "door"),
        }

    def told(self) -> str:
        """All that an attacker could wish to know of the outside, as code."""
        known = {
            "CALLS": calls(),
            "ROOT": str(ROOT),
            "PATHS": self.paths,
            "TCP": self.listener.getsockname()[1],
            "UDP": self.datagrams.getsockname()[1],
            "ABSTRACT": f"coursekit-test-{os.getpid()}",
            "DECOY": self.decoy.pid,
            "GRADER": os.getpid(),
        }
        return "".join(f"{key} = {value!r}\n" for key, value in known.items())

    def unharmed(self) -> None:
        """Nobody called, nobody wrote, nobody was hit."""
        assert self.gradebook.read_text() == self.submission.read_text() == SECRET
        assert self.decoy.poll() is None
        for listening in (self.listener, self.abstract, self.named):
            with pytest.raises(BlockingIOError):
                listening.accept()
        with pytest.raises(BlockingIOError):
            self.datagrams.recv(10)

    def close(self) -> None:
        self.decoy.kill()
        self.decoy.wait()
        for listening in (self.listener, self.datagrams, self.abstract, self.named):
            listening.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    there = Outside(tmp_path_factory.mktemp("outside"))
    yield there
    there.close()


@pytest.fixture(scope="module")
def box(outside):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_SECRET", SECRET)
        with sandbox.Sandbox(FILES, LIMITS) as box:
            box.start()
            yield box


def run(child, source: str, timeout_s: float = 10.0) -> tuple[str, Reply]:
    reply = child.ask({"op": "run", "source": source, "store_history": True}, timeout_s, grace_s=1.0)
    outputs = [event["output"] for event in reply.events if isinstance(event.get("output"), dict)]
    text = "".join(str(output.get("text", "")) for output in outputs)
    text += "".join(f"\n{output.get('ename')}: {output.get('evalue')}" for output in outputs if "ename" in output)
    return text, reply


HEALTHY = """
import json, os, random, stat, sys
import numpy as np, matplotlib.pyplot as plt, testCases, public_tests
home = os.environ["HOME"]
def status(path):
    found = os.stat(path)
    return [stat.S_IMODE(found.st_mode), int(found.st_mtime) if path != home else 0, os.listxattr(path)]
print(json.dumps({
    "folder": sorted(os.listdir(".")), "home": sorted(os.listdir(home)), "tmp": os.listdir("/tmp"),
    "shm": os.listdir("/dev/shm"), "marks": [status(path) for path in (home, "/tmp", "/dev/shm")],
    "processes": sum(name.isdigit() for name in os.listdir("/proc")), "umask": os.umask(0o22),
    "random": [random.random(), np.random.rand()], "product": (np.ones((2, 3)) @ np.ones((3, 2))).tolist(),
    "modules": sorted(set(sys.modules) & {"exercises", "mistakes", "coursekit", "evil"}),
    "size": os.path.getsize("public_tests.py"), "cases": testCases.__file__, "cwd": os.getcwd(),
    "environment": dict(os.environ),
    "disk": os.statvfs(home).f_bavail > 4000,
    "priority": [os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, 1)],
    "limits": [__import__("resource").getrlimit(n) for n in range(16)], "affinity": len(os.sched_getaffinity(0)),
    "fortune": getattr(np, "evil", None) or getattr(json, "evil", None),
}))
"""


def healthy(box: sandbox.Sandbox) -> dict:
    """What a well-behaved submission sees."""
    with box.child({"data/own.txt": b"mine"}) as child:
        text, reply = run(child, HEALTHY)
        assert (reply.end, reply.done.get("status")) == ("done", "ok"), (text, reply)
        return json.loads(text)


@pytest.fixture(scope="module")
def usual(box):
    """What a submission saw before there was any attack."""
    return healthy(box)


# Attacks of which every line must say REFUSED: their name, the code, and how many refusals there must be.
REFUSED = [
    ("read-the-course", """
for p in ("", "/hidden", "/hidden/step-by-step/exercises.py", "/source"): tell(p, lambda: os.stat(ROOT + p))
""", 4),
    ("read-the-gradebook", 'tell("it", lambda: read(PATHS["gradebook"]))', 1),
    ("read-another-submission", 'tell("it", lambda: read(PATHS["submission"]))', 1),
    ("import-what-is-hidden", """
for n in ("exercises", "mistakes", "equivalents", "demo", "sizes", "coursekit", "coursekit.author"):
    tell(n, lambda: __import__(n))
""", 7),
    ("read-secrets-of-the-system", """
for p in ("/etc/shadow", "/etc/gshadow", "/etc/ssh", "/root", "/var", "/sys/kernel", "/run", "/boot", "/mnt"):
    tell(p, lambda: os.listdir(p) if os.path.isdir(p) else read(p))
""", 9),
    ("read-the-fork-server", """
for p in ("mem", "environ", "maps", "fd", "root", "cwd", "auxv", "task/1/mem"):
    p = "/proc/1/" + p
    tell(p, lambda: os.listdir(p) if os.path.isdir(p) else os.readlink(p) if os.path.islink(p) else read(p))
""", 8),
    ("environment-secret", """
for name, value in os.environ.items():
    if "5021" in value: print("GOT", name)
tell("it", lambda: os.environ["COURSE_SECRET"])
""", 1),
    ("write-outside-the-scratch", """
import numpy
for p in ("/usr/bin/x", "/etc/passwd", "/app/guest/shell.py", "/x", "/dev/x", numpy.__file__, "/proc/self/comm",
          "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", PATHS["gradebook"]):
    tell(p, lambda: open(p, "w"))
""", 10),
    ("change-the-system", """
import numpy
for name in ("/usr/bin/env", "/etc", "/app/guest/shell.py", "/", numpy.__file__):
    tell("chmod " + name, lambda: os.chmod(name, 0o777))
    tell("unlink " + name, lambda: os.rename(name, name + "x"))
tell("link", lambda: os.link("/app/guest/shell.py", "/tmp/link"))
""", 11),
    ("devices", """
import stat
tell("block", lambda: os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0)))
tell("character", lambda: os.mknod("/tmp/mem", 0o600 | stat.S_IFCHR, os.makedev(1, 1)))
for p in ("/dev/vda", "/dev/sda", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm"): tell(p, lambda: read(p))
""", 8),
    ("tcp-to-the-host", """
tell("connect", lambda: socket.create_connection(("127.0.0.1", TCP), 1))
tell("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
tell("six", lambda: socket.create_connection(("::1", TCP), 1))
""", 3),
    ("udp-to-the-host", """
tell("it", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP)))
""", 1),
    ("listen", 'tell("it", lambda: socket.create_server(("127.0.0.1", 0)))', 1),
    ("abstract-socket", 'tell("it", lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + ABSTRACT))', 1),
    ("named-socket", 'tell("it", lambda: socket.socket(socket.AF_UNIX).connect(PATHS["door"]))', 1),
    ("upper-halves-of-numbers", """
HIGH, ours = 1 << 32, socket.socketpair()[0].fileno()
def call_64(name, *args): call(name, *[ctypes.c_ulong(one) if isinstance(one, int) else one for one in args])
number = ctypes.c_int(1 << 22)
for family in (2, 10, 16, 40): call_64("socket", HIGH | family, 2, 0)
call_64("socket", HIGH | 2, 1, 262)  # MPTCP, whose ports Landlock does not know
call_64("socketpair", HIGH | 2, 1, 0)
for option in (7, 8, 32): call_64("setsockopt", ours, HIGH | 1, HIGH | option, ctypes.byref(number), 4)
size = ctypes.c_uint(8)
for option in (57, 71): call_64("getsockopt", ours, HIGH | 1, HIGH | option, ctypes.c_buffer(8), ctypes.byref(size))
call_64("prlimit64", HIGH | 1, 7, 0, ctypes.c_buffer(16))
call_64("fcntl", ours, HIGH | 1025, 0); call_64("ioctl", 0, HIGH | 0x5412, ctypes.c_buffer(1))
call_64("madvise", 0x10000, 4096, HIGH | 3)
""", 15),
    ("memory-of-the-kernel", """
attributes = (ctypes.c_uint64 * 2)(0, 3)
call("landlock_create_ruleset", attributes, ctypes.c_size_t(16), 0)
call("landlock_add_rule", 0, 2, attributes, 0); call("landlock_restrict_self", 0, 0)
call("seccomp", 1, 0, 0); call("prctl", 22, 2, 0)
""", 5),
    ("counters-of-the-machine", """
call("pidfd_open", os.getpid(), 0); call("clone", ctypes.c_ulong(0x1000 | 17), 0, ctypes.c_buffer(4), 0, 0)
for clock in (~1 << 3 | 2, ~os.getpid() << 3 | 2): tell("clock", lambda: time.clock_gettime(clock))
""", 4),
    ("other-families", "for f in (16, 17, 31, 38, 40): tell(str(f), lambda: socket.socket(f, socket.SOCK_RAW, 0))", 5),
    ("signal-the-host", 'tell("decoy", lambda: os.kill(DECOY, 9)); tell("grader", lambda: os.kill(GRADER, 9))', 2),
    ("trace-the-server", """
call("ptrace", 16, 1, 0, 0)
call("ptrace", 0x4206, 1, 0, 0)
call("ptrace", 0, 0, 0, 0)
call("process_vm_readv", 1, 0, 0, 0, 0, 0)
call("process_vm_writev", 1, 0, 0, 0, 0, 0)
call("pidfd_getfd", 5, 0, 0)
call("kcmp", 1, os.getpid(), 0, 0, 0)
call("process_madvise", 0, 0, 0, 0, 0)
""", 8),
    ("limits-and-priorities-of-the-server", """
import resource
tell("prlimit", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3)))
tell("own limit", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (4000, 4000)))
tell("priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
tell("user", lambda: os.setpriority(os.PRIO_USER, 0, 19))
tell("affinity", lambda: os.sched_setaffinity(1, {0}))
tell("scheduler", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
call("ioprio_set", 1, 1, 3 << 13)
tell("oom", lambda: open("/proc/1/oom_score_adj", "w").write("1000"))
""", 8),
    ("namespaces", """
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x4000000, 0x8000000, 0x2000000, 0x80):
    call("unshare", flag)
call("clone", 0x10000000 | 17, 0, 0, 0, 0)
call("clone3", 0, 0)
tell("setns", lambda: call("setns", os.open("/proc/self/ns/user", 0), 0) or 1 / 0)
""", 12),
    ("mounts", """
call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, 0)
call("mount", b"none", b"/", b"none", 32 | 4096, 0)
call("umount2", b"/proc", 2)
call("pivot_root", b"/tmp", b"/tmp")
call("chroot", b"/tmp")
call("open_tree", -100, b"/", 1)
call("fsopen", b"tmpfs", 0)
call("open_by_handle_at", -100, 0, 0)
""", 8),
    ("system-v-and-keys", """
call("shmget", 0x5021, 4096, 0o1666)
call("semget", 0x5021, 1, 0o1666)
call("msgget", 0x5021, 0o1666)
call("mq_open", b"left", 0o102, 0o666, 0)
call("add_key", b"user", b"left", b"x", 1, -4)
call("keyctl", 0, -4, 1)
call("request_key", b"user", b"left", 0, -4)
call("memfd_create", b"left", 0)
""", 8),
    ("rare-doors-of-the-kernel", """
for name in ("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "init_module", "kexec_load", "reboot", "swapon",
             "acct", "syslog", "settimeofday", "fanotify_init", "personality", "setxattrat"):
    call(name, 8, 0, 0, 0, 0)
""", 14),
    ("become-root", """
tell("setuid", lambda: os.setuid(0)); tell("setgroups", lambda: os.setgroups([0]))
tell("chown", lambda: os.chown("/tmp", 0, 0)); tell("hostname", lambda: socket.sethostname("x"))
tell("passwd", lambda: subprocess.run(["passwd", "-d", "student"], check=True, timeout=5, capture_output=True))
""", 5),
    ("marks-on-the-scratch", """
for p in (os.environ["HOME"], "/tmp", "/dev/shm"): tell(p, lambda: os.setxattr(p, "user.left", b"for the next"))
""", 3),
    ("ask-which-pages-of-a-file-are-cached", """
import mmap
file = os.open("/usr/bin/env", os.O_RDONLY)
room, page = ctypes.create_string_buffer(4096), mmap.mmap(file, 4096, prot=mmap.PROT_READ)
for flag in (os.RWF_NOWAIT, os.RWF_HIPRI, 0x80):
    tell(f"preadv2 {flag}", lambda: os.preadv(file, [bytearray(1)], 0, flag))
call("preadv2", file, 0, 0, 0, 0, 1 << 32 | 8)
call("mincore", 0x400000, 4096, room)
call("cachestat", file, ctypes.create_string_buffer(16), room, 0)
tell("direct", lambda: os.open("/usr/bin/env", os.O_RDONLY | os.O_DIRECT))
tell("direct, scratch", lambda: os.open("own", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600))
call("openat2", -100, b"/usr/bin/env", (ctypes.c_uint64 * 3)(os.O_DIRECT, 0, 0), 24)
call("io_setup", 8, room)
""", 10),
    ("choose-which-pages-of-a-file-are-cached", """
import fcntl, mmap
file = os.open("/usr/bin/env", os.O_RDONLY)
page = mmap.mmap(file, 4096, prot=mmap.PROT_READ)
for advice in range(6): tell(f"fadvise {advice}", lambda: os.posix_fadvise(file, 0, 0, advice))
call("readahead", file, 0, 4096)
tell("direct", lambda: fcntl.fcntl(file, fcntl.F_SETFL, os.O_DIRECT))
for advice in (1, 2, 3, 9, 12, 20, 21, 22, 23, 25, 1000, -1): tell(f"madvise {advice}", lambda: page.madvise(advice))
call("sync"); call("syncfs", file); call("sync_file_range", file, 0, 0, 2)
written = os.open("own", os.O_RDWR | os.O_CREAT)
for flag in (os.RWF_DSYNC, 0x80): tell(f"pwritev2 {flag}", lambda: os.pwritev(written, [b"x"], 0, flag))
""", 25),
    ("marks-on-an-inode", """
import fcntl
for path in (os.environ["HOME"], "/tmp", "/dev/shm", "/usr/bin/env", "."):
    file = os.open(path, os.O_RDONLY)
    # FS_IOC_GETFLAGS, _SETFLAGS, _FSGETXATTR, _FSSETXATTR, _GETVERSION, _SETVERSION, FIFREEZE, FITRIM, FICLONE
    for request in (0x80086601, 0x40086602, 0x801C581F, 0x401C5820, 0x80087601, 0x40087602, 0xC0045877, 0xC0185879,
                    0x40049409):
        tell(f"{path} {request:#x}", lambda: fcntl.ioctl(file, request, bytes(64)))
    for command in (1035, 1036, 1037, 1038):
        tell(f"{path} hint {command}", lambda: fcntl.fcntl(file, command, (5).to_bytes(8, "little")))
""", 65),
    ("what-others-see-of-an-open-file", """
import fcntl
file = os.open("/usr/bin/env", os.O_RDONLY)
for kind in (fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN): tell(f"flock {kind}", lambda: fcntl.flock(file, kind))
for command in (1024, 1025, 1026, 36, 37, 38): tell(f"fcntl {command}", lambda: fcntl.fcntl(file, command, bytes(32)))
tell("inotify", lambda: libc.inotify_init() >= 0 or 1 / 0)
tell("inotify1", lambda: libc.inotify_init1(0) >= 0 or 1 / 0)
ours, theirs = socket.socketpair()
for option in (57, 71): tell(f"counter {option}", lambda: ours.getsockopt(socket.SOL_SOCKET, option, 8))
""", 13),
    ("times-of-devices", """
for name in ("null", "zero", "full", "random", "urandom", "tty"):
    tell(name, lambda: os.utime("/dev/" + name))
    tell(name, lambda: os.chmod("/dev/" + name, 0o600))
""", 12),
    ("paths-of-this-machine", """
for name in ("mountinfo", "mounts", "mountstats", "cgroup", "task/1/mountinfo"):
    tell(name, lambda: read("/proc/self/" + name)); tell(name, lambda: read("/proc/thread-self/" + name))
for name in ("cmdline", "mounts", "locks", "stat", "sys/fs/inode-nr", "sys/kernel/ns_last_pid", "net/unix", "vmstat"):
    tell(name, lambda: read("/proc/" + name))
def theirs():
    if os.fork() == 0:
        os._exit(0 if subprocess.run(["cat", "/proc/self/mountinfo"], capture_output=True).stdout else 1)
    if os.wait()[1]: raise OSError("nothing")
tell("another process", theirs)
call("statmount", 0, 0, 0, 0)
call("listmount", 0, 0, 0, 0)
""", 21),
    ("type-into-the-terminal", """
import fcntl, pty
master, slave = pty.openpty()
tell("it", lambda: fcntl.ioctl(slave, 0x5412, b"x"))
""", 1),
    ("more-memory-than-allowed", 'tell("it", lambda: bytearray(3 << 30))', 1),
    ("memory-that-belongs-to-no-process", """
import mmap
tell("nameless", lambda: mmap.mmap(-1, 1 << 20))
tell("by a device", lambda: mmap.mmap(os.open("/dev/zero", os.O_RDONLY), 1 << 20, prot=mmap.PROT_READ))
ours, theirs = socket.socketpair()
tell("buffer", lambda: ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22))
tell("forced", lambda: ours.setsockopt(socket.SOL_SOCKET, 32, 1 << 22))
call("vmsplice", os.pipe()[1], 0, 0, 0)
""", 5),
    ("a-file-too-long", """
def write():
    with open("long", "wb") as file:
        for _ in range(20): file.write(bytes(1 << 20)); file.flush()
tell("it", write)
""", 1),
    ("fill-the-disk", """
def write(folder):
    for i in range(8):
        with open(f"{folder}/{i}", "wb") as file: file.write(bytes(8 << 20))
for folder in (".", "/tmp", "/dev/shm"): tell(folder, lambda: write(folder))
""", 3),
    ("all-descriptors", """
kept = []
tell("it", lambda: [kept.append(os.open("/dev/null", 0)) for _ in range(2000)])
""", 1),
    ("threads", """
gate = threading.Event()
tell("it", lambda: [threading.Thread(target=gate.wait, daemon=True).start() for _ in range(200)])
gate.set()
""", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "count"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_attack_is_refused_and_the_next_submission_is_well(box, outside, usual, name, source, count):
    """Each attempt meets an error, nothing outside changed, and the same fork server serves the next one."""
    with box.child() as child:
        text, reply = run(child, outside.told() + PRELUDE + source)
    assert reply.end == "done", reply
    assert "GOT" not in text
    assert text.count("REFUSED") == count, text
    outside.unharmed()
    assert healthy(box) == usual
    assert box.starts == 1


# Attacks that may do what they like to themselves. What is told must be within the sandbox, and nothing of it is left.
LEFTOVERS = [
    ("files-everywhere", """
for folder in (".", os.environ["HOME"], os.environ["HOME"] + "/.ipython/profile_default/startup", "/tmp", "/dev/shm"):
    os.makedirs(folder, exist_ok=True)
    for name in ("left.txt", ".hidden", "sitecustomize.py", "evil.py", "numpy.py", "matplotlibrc"):
        open(os.path.join(folder, name), "w").write("import os; os._exit(1)")
""", ""),
    ("trusted-modules-changed", """
import numpy, testCases, json
for name in os.listdir("."): os.path.isfile(name) and open(name, "w").write("evil = 1")
numpy.evil = json.evil = "here"; testCases.__file__ = "evil"
""", ""),
    ("folder-locked", """
os.makedirs("a/b/c"); open("a/b/c/d", "w").close()
os.chmod("a/b", 0); os.chmod("a", 0); os.chmod(".", 0); os.chmod(os.environ["HOME"], 0); os.chmod("/tmp", 0)
""", ""),
    ("deep-folders", """
for _ in range(3000): os.mkdir("d"); os.chdir("d")
""", ""),
    ("times-and-modes-of-the-scratch", """
for p in (os.environ["HOME"], "/tmp", "/dev/shm"): os.utime(p, (5021, 5021)); os.chmod(p, 0o711)
""", ""),
    ("links-out-of-the-scratch", """
for target in ("/usr", "/", "/app", os.environ["HOME"]): os.symlink(target, "to" + target.replace("/", "-"))
os.mkfifo("pipe"); socket.socket(socket.AF_UNIX).bind("door")
""", ""),
    ("a-daemon", """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 32))
        while True:
            open("/tmp/alive", "w").write("x"); time.sleep(0.001)
    os._exit(0)
os.wait()
""", ""),
    ("a-command-in-the-background", """
get_ipython().system_raw("nohup setsid sleep 600 >/dev/null 2>&1 &")
subprocess.Popen(["sleep", "600"], start_new_session=True)
""", ""),
    ("signals-to-the-server", """
for number in range(1, 65):
    for pid in (1, 0x7fffffff):
        try: os.kill(pid, number)
        except OSError: pass
try: os.killpg(1, 9)
except OSError: pass
try: signal.pidfd_send_signal(os.pidfd_open(1), 9)
except OSError: pass
""", ""),
    ("signal-to-everybody", "os.kill(-1, 9)", ""),
    ("a-fork-that-runs-on", """
for _ in range(3): os.fork()
print("cell", os.getpid() > 1)
""", ""),
    ("ends-itself", "os._exit(0)", "exit status 0"),
    ("crashes", "ctypes.string_at(0)", "SIGSEGV"),
    ("aborts", "os.abort()", "SIGABRT"),
    ("too-much-processor-time", """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True: pass
""", "signal"),
    ("closes-its-line", "os.close(3)\ntime.sleep(600)", "line"),
    ("stops-itself", "os.kill(os.getpid(), signal.SIGSTOP)", "did not stop when it was told to"),
    ("hears-no-interrupt", """
def loop():
    while True:
        try: time.sleep(0.01)
        except KeyboardInterrupt: pass
signal.signal(signal.SIGINT, signal.SIG_IGN)
loop()
""", "did not stop when it was told to"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "why"), LEFTOVERS, ids=[name for name, _, _ in LEFTOVERS])
def test_nothing_of_an_attack_is_left_for_the_next_submission(box, outside, usual, name, source, why):
    """Files, processes, signals, changed modules and dead children: the next submission sees what it always sees.

    Where the child is lost, the reply says in words how.
    """
    with box.child() as child:
        text, reply = run(child, outside.told() + PRELUDE + source, timeout_s=0.5 if "told to" in why else 10)
    assert why in reply.why
    assert (reply.end == "lost") is bool(why), (text, reply)
    outside.unharmed()
    assert healthy(box) == usual


# What a child can say on its line to the grader, besides what its shell says. Descriptor 3 is that line.
BABBLE = [
    ("garbage", "os.write(3, os.urandom(100_000) + b'\\n')", "done"),
    ("half-a-line", "os.write(3, b'{\"output\": ')", "done"),
    ("not-json", r"""
for line in (b"", b"[]", b"1", b"null", b"{}", b"NaN", b'"x"', b"{'a': 1}", b'{"a": NaN}', b'{"a": 1e999}', b"\xff"):
    os.write(3, line + b"\n")
""", "done"),
    ("deep-json", "os.write(3, b'{\"a\":' * 50_000 + b'1' + b'}' * 50_000 + b'\\n')", "done"),
    ("huge-integer", "os.write(3, b'{\"a\": ' + b'9' * 100_000 + b'}\\n')", "done"),
    ("many-brackets", "os.write(3, b'{\"a\": [' + b'[],' * 300_000 + b'[]]}\\n')", "done"),
    ("a-forged-end", "os.write(3, b'{\"done\": true, \"id\": 7, \"status\": \"ok\"}\\n')", "done"),
    ("a-line-too-long", "os.write(3, b'{\"output\": \"' + b'x' * 4_000_000 + b'\"}\\n')", "done"),
    ("too-many-events", "for _ in range(60): os.write(3, b'{\"output\": 1}\\n' * 1000)", "done"),
    ("a-flood", """
block = (b'{"output": "' + b'x' * 1000 + b'"}\\n') * 100
while True:
    for _ in range(100): os.write(3, block)
""", "timeout"),
    ("a-flood-without-an-end", """
def pour():
    while True:
        try:
            while True: os.write(3, b'x' * 100_000)
        except BaseException: pass
pour()
""", "lost"),
    ("printing-for-ever", "while True: print('x' * 1000)", "timeout"),
    ("one-long-line", "print('x' * 40_000_000)", "done"),
    ("raw-output", "for _ in range(100): os.write(1, b'x' * 100_000)", "done"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "end"), BABBLE, ids=[name for name, _, _ in BABBLE])
def test_whatever_a_child_says_the_grader_keeps_its_head(box, outside, usual, name, source, end):
    """What is kept is bounded and well-formed, the next request is answered in its turn, and so is the next child."""
    with box.child() as child:
        _, reply = run(child, "import os\n" + source, timeout_s=1.5)
        assert reply.end == end, reply.why
        assert len(json.dumps(reply.events)) < 4 << 20
        assert len(reply.events) <= LIMITS.events
        assert all(isinstance(event, dict) for event in reply.events)
        if end != "lost":
            text, reply = run(child, "print(6 * 7)")
            assert reply.end == "done"
            assert "42" in text
            assert reply.done["id"] == 2
    assert healthy(box) == usual


def test_an_end_announced_too_early_does_not_shift_the_answers(box):
    """A student's code writes the line that ends its cell, and then more: later cells still get their own answers."""
    with box.child() as child:
        forged = json.dumps({"done": True, "id": 1, "status": "ok", "forged": True})
        _, first = run(
            child, f"import os, time\nos.write(3, {forged!r}.encode() + b'\\n')\ntime.sleep(0.2)\nprint('late')"
        )
        assert first.done["forged"]
        for number in range(3):
            text, reply = run(child, f"print('cell', {number})")
            assert f"cell {number}" in text
            assert "forged" not in reply.done


def test_a_fork_bomb_ends_at_the_limit_of_processes(box, outside, usual):
    """Bounded itself: at most 200 forks, and none before a probe has shown that the limit stands."""
    with box.child() as child:
        text, _ = run(child, "import resource\nprint(resource.getrlimit(resource.RLIMIT_NPROC))")
        assert f"({LIMITS.processes}, {LIMITS.processes})" in text
        text, _ = run(child, """
import os, time
made = failed = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            for _ in range(5):  # every one tries again
                try:
                    if os.fork() == 0: time.sleep(600)
                except OSError: pass
            time.sleep(600)
        made += 1
    except OSError: failed += 1
print(made, failed, sum(name.isdigit() for name in os.listdir("/proc")))
""")  # fmt: skip
        made, failed, processes = map(int, text.split())
        assert made + failed == 200
        assert failed > 150
        assert processes <= LIMITS.processes
    outside.unharmed()
    assert healthy(box) == usual
    assert len(_descendants(box._server._process.pid)) == 1  # the server alone


def test_the_memory_of_all_processes_together_is_bounded(box, outside, usual):
    """Each process stays below the limit of one; together they do not, and the whole submission ends."""
    with box.child() as child:
        _, reply = run(
            child,
            """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(400 << 20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(600)
time.sleep(600)
""",
        )
        assert reply.end == "lost"
        assert "more than 1024 MiB of memory" in reply.why
    assert healthy(box) == usual


def test_too_many_sockets_end_the_submission(box, outside, usual):
    """What is sent and not read is the kernel's memory, of which no process is said to use anything."""
    with box.child() as child:
        _, reply = run(
            child,
            """
import os, socket, time
for _ in range(3):
    if os.fork() == 0:
        kept = [socket.socketpair() for _ in range(110)]
        time.sleep(600)
time.sleep(600)
""",
        )
        assert reply.end == "lost"
        assert "more than 500 sockets" in reply.why
    assert healthy(box) == usual


@pytest.mark.parametrize("hides", [False, True])
def test_too_many_mappings_end_the_submission(box, outside, usual, hides):
    """Each takes memory of the kernel's; whoever hides them, as a process may, is thought to have as many as can be."""
    with box.child() as child:
        _, reply = run(
            child,
            f"""
import ctypes, mmap, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 4
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for _ in range(4):
    if os.fork() == 0:
        if {hides}: libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        start = libc.mmap(None, 130_000 * 4096, 0, 0x22, -1, 0)
        for page in range(0, 1 if {hides} else 130_000, 2): libc.mprotect(start + page * 4096, 4096, 1)
        time.sleep(600)
time.sleep(600)
""",
            timeout_s=30,
        )
        assert reply.end == "lost"
        assert "more than 100000 memory mappings" in reply.why
    assert healthy(box) == usual


def test_too_many_files_end_the_submission(box, outside, usual):
    """Empty files cost the kernel memory that no size limit counts."""
    with box.child() as child:
        _, reply = run(child, "import os, time\nfor i in range(20_000): os.mkdir(f'/tmp/{i}')\ntime.sleep(600)")
        assert reply.end == "lost"
        assert "more than 5000 files" in reply.why
    assert healthy(box) == usual


def test_a_child_has_no_open_door(box):
    """Nothing of the server's is open in a child: one line leads out of the sandbox, and no other file is open."""
    source = """
import os, socket, struct
for number in sorted(map(int, os.listdir("/proc/self/fd"))):
    try: target = os.readlink(f"/proc/self/fd/{number}").split(":")[0]
    except OSError: continue
    if target == "socket":  # who made the other end? 0 is somebody outside of the sandbox
        with socket.socket(fileno=os.dup(number)) as one:
            peer = struct.unpack("3i", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        target = "line" if peer == 0 else "own" if peer == os.getpid() else "server"
    print(target)
"""
    with box.child() as child:
        text, _ = run(child, source)
    doors = [line for line in text.splitlines() if not line.startswith(("/home/student/", "/dev/null", "anon_inode"))]
    assert doors.count("line") == 1
    assert set(doors) <= {"line", "own"}


def test_no_path_of_this_machine_is_told(box):
    """Neither where the checkout lies, nor where its interpreter does, which is often in somebody's home."""
    source = """
import glob, json, os, sys, traceback
def each(pattern):
    for path in glob.glob(pattern):
        try: yield path, os.readlink(path) if os.path.islink(path) else open(path).read()
        except (OSError, UnicodeDecodeError): pass
packages = next(path for path in sys.path if path.endswith("site-packages"))
told = [sys.path, sys.prefix, sys.base_prefix, sys.executable, sys._base_executable, dict(os.environ), sys.argv]
told += [os.path.realpath(sys.executable), [vars(module).get("__file__") for module in list(sys.modules.values())]]
told += [*each("/proc/*"), *each("/proc/self/*"), *each("/proc/self/fd/*"), *each("/etc/*"), os.listdir("/")]
told += [*each(packages + "/*.pth"), *each(packages + "/*.dist-info/*"), *each(sys.prefix + "/*")]
try: json.loads("no")
except ValueError: told += [traceback.format_exc()]
print(len(told) > 100, [path in repr(told) for path in NEEDLES])
"""
    real = os.path.realpath(sys.base_prefix)
    needles = [str(ROOT), *([real] if not real.startswith("/usr") else [])]
    with box.child() as child:  # the needles are put together inside: else the cell's own source would tell them
        text, reply = run(child, f"NEEDLES = [word[::-1] for word in {[word[::-1] for word in needles]!r}]\n{source}")
    assert text.strip() == f"True {[False] * len(needles)}", reply


def test_the_memory_holds_no_secret(box):
    """A child reads all its memory, which it has from the server: no hidden test and nothing of the grader's is there.

    (The needles are sought backwards, for a needle would find itself.)
    """
    known = (ROOT / "testCases.py").read_text()[300:360]
    hidden = ROOT / "hidden" / ASSIGNMENT
    secrets = [SECRET, *((hidden / name).read_text()[300:360] for name in ("exercises.py", "mistakes.py"))]
    source = f"""
needles = {[needle.encode()[::-1] for needle in (known, *secrets)]!r}
found, size = [0] * len(needles), 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
    for line in maps.read().splitlines():
        if line.split()[1].startswith("rw") and "[v" not in line:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(begin)
            backwards = memory.read(end - begin)[::-1]
            found = [count + (needle in backwards) for count, needle in zip(found, needles)]
            size += len(backwards)
print(size > 30_000_000, [count > 0 for count in found])
"""
    with box.child() as child:
        text, reply = run(child, source, timeout_s=20)
    assert text.strip() == "True [True, False, False, False]", reply


def test_a_grader_that_is_killed_leaves_no_process(tmp_path):
    """kill -9 of the process that holds the sandbox: the server, the child and its daemon are gone within seconds."""
    source = """
import sys, time
from coursekit.sandbox import client as sandbox
from coursekit.sandbox.limits import ResourceLimits
box = sandbox.Sandbox({}, ResourceLimits())
child = box.child()
child.ask({"op": "run", "source": "import subprocess; subprocess.Popen(['sleep', '611'], start_new_session=True)"}, 10)
print(box._server._process.pid, flush=True)
time.sleep(600)
"""
    grader = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(grader.stdout.readline())
        tree = _descendants(pid)
        assert len(tree) >= 3, tree  # the server, the child, its daemon
    finally:
        grader.kill()
        grader.wait()
        grader.stdout.close()
    until(lambda: not any(map(_is_alive, (pid, *tree))), "the end of the sandbox")


def _descendants(pid: int) -> list[int]:
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [one for child in children for one in _descendants(child)]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False

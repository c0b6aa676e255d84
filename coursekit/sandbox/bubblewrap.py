"""How a sandbox is started: bubblewrap's argument list, and the process.

Inside there is: the system's programs and libraries, this interpreter with its packages under /app/venv, the package
``guest``, and three small folders in memory. Nothing of the course, of the user's home or of the environment is there.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from coursekit.sandbox import guest
from coursekit.system.versions import ARITHMETIC

INSIDE = Path(guest.__file__).parent  # a package of its own there, by the name of this folder
LAUNCH = Path(__file__).parent / "launch.py"
HOME, TMP, SHM = "/home/student", "/tmp", "/dev/shm"
FOLDER = f"{HOME}/work"
SHM_MIB = 16
_DEVICES = tuple(f"/dev/{name}" for name in ("null", "full", "random", "urandom", "tty"))
_APP, _VENV, _PYTHON, _LIBPYTHON = "/app", "/app/venv", "/app/python", "/app/libpython"
_UID_BASE, _UIDS = 62_000, 1_000  # belong to nobody; one for each grading process, so that two cannot meet
_PARTS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec")
_ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "magic", "mime.types")
_PASSWD = f"root:x:0:0:root:/root:/usr/sbin/nologin\nstudent:x:1000:1000::{HOME}:/bin/sh\n"
_WRITTEN = {
    "/etc/passwd": _PASSWD,
    "/etc/group": "root:x:0:\nstudent:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_MIB = 1 << 20


def python() -> str:
    """The interpreter's path inside a sandbox."""
    return f"{_VENV}/bin/python" if _in_venv() else _interpreter()


def environment(home: str = HOME, tmp: str = TMP, path: str = "") -> dict[str, str]:
    """All the environment that a submission has; the same in every grading."""
    programs = [path or str(Path(python()).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        # The same inside as where the expected outputs were recorded.
        **{name: os.environ[name] for name in ARITHMETIC if name in os.environ},
        **dict.fromkeys(one_thread, "1"),
        "PATH": ":".join(programs),
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": tmp,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.config/matplotlib",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "HDF5_USE_FILE_LOCKING": "FALSE",  # there is no flock
    }


def start(
    program: str,
    command: Sequence[str],
    seccomp: bytes = b"",
    descriptors: Sequence[int] = (),
    scratch_mib: int = 64,
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """The sandbox's process, with ``command`` as its pid 1. It ends when this thread's process does."""
    with ExitStack() as stack:

        def in_memory(data: bytes) -> int:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.seek(0)
            return file.fileno()

        files = {dest: in_memory(data) for dest, data in _files().items()}
        filter_file = in_memory(seccomp) if seccomp else None
        argv, sources = _arguments(program, files, filter_file, scratch_mib)
        argv += ["--", *command]
        uid = _unprivileged() if os.geteuid() == 0 else None
        passed = [*descriptors, *files.values(), *([] if filter_file is None else [filter_file])]
        return launch(argv, sources, uid, passed, log)


def launch(
    argv: Sequence[str],
    sources: Mapping[int, tuple[str, str]],
    uid: int | None,
    descriptors: Sequence[int],
    log: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    bound: bool = True,
) -> subprocess.Popen[bytes]:
    """The process that launch.py becomes. A ``bound`` one is killed when this thread's process ends."""
    parent = os.getpid() if bound else None
    orders = {"argv": list(argv), "uid": uid, "parent": parent, "sources": dict(sources)}
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(orders).encode())
        file.seek(0)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCH)],
            stdin=file,
            stdout=stdout,
            stderr=log,
            pass_fds=list(descriptors),
            env=dict(env or {}),
            cwd="/",
            start_new_session=True,  # a Ctrl-C in the terminal is for the grader alone
        )


def _arguments(
    program: str, files: Mapping[str, int], filter_file: int | None, scratch_mib: int
) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """Bubblewrap's argument list, and which of its items are paths of this machine: (what must be seen, the rest)."""
    argv = [program, *("--seccomp", str(filter_file)) * (filter_file is not None)]
    sources = {0: _with_libraries(program)} if not program.startswith("/usr/") else {}

    def bind(source: str, dest: str, how: str = "--ro-bind") -> None:
        argv.extend([how, source, dest])
        sources[len(argv) - 2] = (source, "")

    def link_or_bind(path: str) -> None:
        target = str(Path(path).readlink()) if Path(path).is_symlink() else "/"
        if not target.startswith("/"):
            argv.extend(["--symlink", target, path])
        elif Path(path).exists():
            bind(path, path)

    argv += [
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--cap-drop",
        "ALL",
        "--disable-userns",
    ]
    argv += ["--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]
    for path in [f"/usr/{part}" for part in (*_PARTS, "share")] + [f"/{part}" for part in _PARTS]:
        link_or_bind(path)
    for name in _ETC:
        link_or_bind(f"/etc/{name}")
    argv += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(SHM_MIB * _MIB), "--tmpfs", SHM]
    for device in _DEVICES:  # bubblewrap's own, but as launch.py binds them: nobody touches the times of this machine's
        bind(device, device, "--dev-bind")
    bind("/dev/null", "/dev/zero")  # a device that cannot be opened: mapped, this one is memory that nobody counts
    for perms, path in (("1777", TMP), ("0700", HOME)):
        argv += ["--perms", perms, "--size", str(scratch_mib * _MIB), "--tmpfs", path]
    base = os.path.realpath(sys.base_prefix)
    if base != "/usr":
        for part in _PARTS:
            if Path(base, part).is_dir():
                bind(f"{base}/{part}", f"{_PYTHON}/{part}")
        for library in Path(base, "lib").glob("libpython*.so*"):  # else sought by the path that it was built for
            argv += ["--symlink", f"{_PYTHON}/lib/{library.name}", f"{_LIBPYTHON}/{library.name}"]
    for source, dest in _packages().items():
        bind(source, dest)
        if (Path(source) / "coursekit").is_dir():  # installed, not a checkout: the judge is nothing to read in there
            argv += ["--tmpfs", f"{dest}/coursekit"]
    if _in_venv():
        argv += ["--symlink", _interpreter(), f"{_VENV}/bin/python"]
        argv += ["--symlink", "python", f"{_VENV}/bin/python3"]
    for dest, descriptor in files.items():  # in place of what is bound already, or new
        covers = any(dest.startswith(f"{packages}/") for packages in _packages().values())
        argv += ["--perms", "0444", "--ro-bind-data" if covers else "--file", str(descriptor), dest]
    argv += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/", "--clearenv"]
    elsewhere = [dest for dest in _packages().values() if not dest.startswith(_VENV)]
    paths = {"PYTHONPATH": ":".join([_APP, *elsewhere])} | ({"LD_LIBRARY_PATH": _LIBPYTHON} if base != "/usr" else {})
    for name, value in {**environment(), **paths}.items():
        argv += ["--setenv", name, value]
    return argv, sources


def seen() -> list[str]:
    """The folders of this machine that can be read inside, besides the system's programs and libraries."""
    return [os.path.realpath(sys.base_prefix), *_packages()]


def _with_libraries(program: str) -> tuple[str, str]:
    """The folder that must be seen to run a program (a wheel's libraries lie beside it), and the rest of the path."""
    packages, separator, rest = program.rpartition("/site-packages/")
    if separator:
        return f"{packages}/site-packages", f"/{rest}"
    return str(Path(program).parent), f"/{Path(program).name}"


def _interpreter() -> str:
    """The base interpreter's path inside: its own only where it is the system's, whose folders tell nothing."""
    real, base = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    return real if base == "/usr" else f"{_PYTHON}/{os.path.relpath(real, base)}"


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _packages() -> dict[str, str]:
    """The folders of installed packages that are not part of the system or the interpreter: where, and where inside."""
    base = Path(os.path.realpath(sys.base_prefix))
    bound = [Path("/usr", part) for part in _PARTS] + [base / part for part in _PARTS]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found: dict[str, str] = {}
    for entry in dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path]):
        real = os.path.realpath(entry)
        if real in found or Path(real).name not in ("site-packages", "dist-packages") or not Path(real).is_dir():
            continue
        if not any(Path(real).is_relative_to(part) for part in bound):
            ours = _in_venv() and _VENV not in "".join(found.values())
            # Never at its own path: that may lie in one of the folders that are emptied after every child.
            found[real] = f"{_VENV}/lib/{version}/site-packages" if ours else f"{_APP}/packages-{len(found)}"
    return found


def _files() -> dict[str, bytes]:
    """The files that are written into a sandbox, for they must not show where they come from."""
    files = {dest: text.encode() for dest, text in _WRITTEN.items()}
    for path in sorted(INSIDE.glob("*.py")):
        files[f"{_APP}/{INSIDE.name}/{path.name}"] = path.read_bytes()
    for source, dest in _packages().items():
        for path in _telling(Path(source)):
            files[f"{dest}/{path.relative_to(source)}"] = b"{}" if path.suffix == ".json" else b"\n"
    if _in_venv():
        system = "false"
        config = Path(sys.prefix, "pyvenv.cfg")
        if config.exists() and "include-system-site-packages = true" in config.read_text("utf-8").lower():
            system = "true"
        home = Path(_interpreter()).parent
        files[f"{_VENV}/pyvenv.cfg"] = f"home = {home}\ninclude-system-site-packages = {system}\n".encode()
    return files


def _telling(packages: Path) -> list[Path]:
    """The files among installed packages that say where on this machine a checkout or a wheel lies."""
    found = [path for path in packages.glob("*.dist-info/direct_url.json") if "file:" in path.read_text("utf-8")]
    for path in packages.glob("*.pth"):
        lines = path.read_text("utf-8", "replace").splitlines()
        if any(Path(line.strip()).is_absolute() for line in lines):
            found.append(path)
    return [*found, *packages.glob("__editable__*.py"), *packages.glob("*.egg-link")]


def _unprivileged() -> int | None:
    """A user that nobody is; None where this root is one of a container that knows no other users."""
    uid = _UID_BASE + os.getpid() % _UIDS
    for line in Path("/proc/self/uid_map").read_text("ascii").splitlines():
        first, _, count = map(int, line.split())
        if first <= uid < first + count:
            return uid
    return None

"""Starts a sandbox: bubblewrap's argument list, and the process.

A sandbox contains the system's programs and libraries, this interpreter with its packages under /app/venv, the package
``guest``, and three small folders in memory. It contains nothing of the course, the user's home or the environment.
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

GUEST = Path(guest.__file__).parent  # in the sandbox a top-level package with this folder's name
LAUNCH = Path(__file__).parent / "launch.py"
HOME, TMP, SHM = "/home/student", "/tmp", "/dev/shm"
FOLDER = f"{HOME}/work"
SHM_MIB = 16
_DEVICES = tuple(f"/dev/{name}" for name in ("null", "full", "random", "urandom", "tty"))
_APP, _VENV, _PYTHON, _LIBPYTHON = "/app", "/app/venv", "/app/python", "/app/libpython"
_UID_BASE, _UIDS = 62_000, 1_000  # unused user ids; one for each grading process, so that sandboxes do not share one
_PARTS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec")
_ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "magic", "mime.types")
_PASSWD = f"root:x:0:0:root:/root:/usr/sbin/nologin\nstudent:x:1000:1000::{HOME}:/bin/sh\n"
_FIXED_FILES = {
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
    """The complete environment of a submission; the same in every grading."""
    programs = [path or str(Path(python()).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        # The arithmetic has to be the one with which the expected outputs were recorded.
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
        "HDF5_USE_FILE_LOCKING": "FALSE",  # seccomp refuses flock
    }


def start(
    program: str,
    command: Sequence[str],
    seccomp: bytes = b"",
    descriptors: Sequence[int] = (),
    scratch_mib: int = 64,
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a sandbox with ``command`` as its pid 1. It ends when the calling thread ends."""
    with ExitStack() as stack:

        def in_memory(data: bytes) -> int:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.seek(0)
            return file.fileno()

        files = {dest: in_memory(data) for dest, data in _generated_files().items()}
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
    tied_to_parent: bool = True,
) -> subprocess.Popen[bytes]:
    """Start launch.py, which becomes ``argv``. If ``tied_to_parent``, it is killed when the calling thread ends."""
    parent = os.getpid() if tied_to_parent else None
    params = {"argv": list(argv), "uid": uid, "parent": parent, "sources": dict(sources)}
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(params).encode())
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
    """Bubblewrap's argument list, and its host paths by index, each as (folder that has to be reachable, rest)."""
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
    for device in _DEVICES:  # as bubblewrap does, but through launch.py: a submission cannot change the host's times
        bind(device, device, "--dev-bind")
    bind("/dev/null", "/dev/zero")  # not as a device: a mapped /dev/zero is memory that no limit counts
    for perms, path in (("1777", TMP), ("0700", HOME)):
        argv += ["--perms", perms, "--size", str(scratch_mib * _MIB), "--tmpfs", path]
    base = os.path.realpath(sys.base_prefix)
    if base != "/usr":
        for part in _PARTS:
            if Path(base, part).is_dir():
                bind(f"{base}/{part}", f"{_PYTHON}/{part}")
        for library in Path(base, "lib").glob("libpython*.so*"):  # else it is sought at the path of its build
            argv += ["--symlink", f"{_PYTHON}/lib/{library.name}", f"{_LIBPYTHON}/{library.name}"]
    for source, dest in _packages().items():
        bind(source, dest)
        if (Path(source) / "coursekit").is_dir():  # coursekit is installed here: hide the grader's code
            argv += ["--tmpfs", f"{dest}/coursekit"]
    if _in_venv():
        argv += ["--symlink", _interpreter(), f"{_VENV}/bin/python"]
        argv += ["--symlink", "python", f"{_VENV}/bin/python3"]
    for dest, descriptor in files.items():  # new files, or replacements of bound ones
        covers = any(dest.startswith(f"{packages}/") for packages in _packages().values())
        argv += ["--perms", "0444", "--ro-bind-data" if covers else "--file", str(descriptor), dest]
    argv += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/", "--clearenv"]
    elsewhere = [dest for dest in _packages().values() if not dest.startswith(_VENV)]
    paths = {"PYTHONPATH": ":".join([_APP, *elsewhere])} | ({"LD_LIBRARY_PATH": _LIBPYTHON} if base != "/usr" else {})
    for name, value in {**environment(), **paths}.items():
        argv += ["--setenv", name, value]
    return argv, sources


def readable_host_folders() -> list[str]:
    """The host folders that a sandbox can read, besides the system's programs and libraries."""
    return [os.path.realpath(sys.base_prefix), *_packages()]


def _with_libraries(program: str) -> tuple[str, str]:
    """The folder that has to be reachable to run a program (a wheel's libraries lie beside it), and the rest."""
    packages, separator, rest = program.rpartition("/site-packages/")
    if separator:
        return f"{packages}/site-packages", f"/{rest}"
    return str(Path(program).parent), f"/{Path(program).name}"


def _interpreter() -> str:
    """The base interpreter's path in the sandbox: the host path only for the system's, which reveals nothing."""
    real, base = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    return real if base == "/usr" else f"{_PYTHON}/{os.path.relpath(real, base)}"


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _packages() -> dict[str, str]:
    """Folders of installed packages outside the system and the interpreter: path on the host -> path in the sandbox."""
    base = Path(os.path.realpath(sys.base_prefix))
    bound = [Path("/usr", part) for part in _PARTS] + [base / part for part in _PARTS]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found: dict[str, str] = {}
    for entry in dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path]):
        real = os.path.realpath(entry)
        if real in found or Path(real).name not in ("site-packages", "dist-packages") or not Path(real).is_dir():
            continue
        if not any(Path(real).is_relative_to(part) for part in bound):
            is_own = _in_venv() and _VENV not in "".join(found.values())
            # Never at the host path: that may lie in one of the folders that are emptied after every child.
            found[real] = f"{_VENV}/lib/{version}/site-packages" if is_own else f"{_APP}/packages-{len(found)}"
    return found


def _generated_files() -> dict[str, bytes]:
    """Files that are generated for a sandbox, because the host's versions would reveal host paths."""
    files = {dest: text.encode() for dest, text in _FIXED_FILES.items()}
    for path in sorted(GUEST.glob("*.py")):
        files[f"{_APP}/{GUEST.name}/{path.name}"] = path.read_bytes()
    for source, dest in _packages().items():
        for path in _files_with_host_paths(Path(source)):
            files[f"{dest}/{path.relative_to(source)}"] = b"{}" if path.suffix == ".json" else b"\n"
    if _in_venv():
        system = "false"
        config = Path(sys.prefix, "pyvenv.cfg")
        if config.exists() and "include-system-site-packages = true" in config.read_text("utf-8").lower():
            system = "true"
        home = Path(_interpreter()).parent
        files[f"{_VENV}/pyvenv.cfg"] = f"home = {home}\ninclude-system-site-packages = {system}\n".encode()
    return files


def _files_with_host_paths(packages: Path) -> list[Path]:
    """The files among installed packages that contain the host path of a checkout or a wheel."""
    found = [path for path in packages.glob("*.dist-info/direct_url.json") if "file:" in path.read_text("utf-8")]
    for path in packages.glob("*.pth"):
        lines = path.read_text("utf-8", "replace").splitlines()
        if any(Path(line.strip()).is_absolute() for line in lines):
            found.append(path)
    return [*found, *packages.glob("__editable__*.py"), *packages.glob("*.egg-link")]


def _unprivileged() -> int | None:
    """An unused user id; None where this root is one of a container without other users."""
    uid = _UID_BASE + os.getpid() % _UIDS
    for line in Path("/proc/self/uid_map").read_text("ascii").splitlines():
        first, _, count = map(int, line.split())
        if first <= uid < first + count:
            return uid
    return None

"""`./course` makes .venv once, starts at once from then on, and tells what is wrong and what to do.

The tests run a copy of the script beside a stub of coursekit and an empty lock, with a PATH of their own that
has only the tools that the script may use. Most put a fake `uv` there, which makes a real virtual environment
but installs nothing; those whose names speak of pip run the real venv and the real pip, without a network.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.patience import communicate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="students on Windows do not need ./course")

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
TOOLS = ("cat", "cksum", "dirname", "grep", "mkdir", "readlink", "rm", "rmdir", "sh", "sleep", "tail")
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]

NO_INDEX = "the package index cannot be reached; check the network; then run ./course again"

CLI = """\
import json, os, sys
def main():
    print(json.dumps({
        "argv": sys.argv, "cwd": os.getcwd(), "file": __file__, "path": os.environ["PATH"].split(":")[0],
        "sys_path": sys.path, "venv": os.environ["VIRTUAL_ENV"],
    }))
    return int(sys.argv[1]) if sys.argv[1:] else 0
"""

# The smallest build backend there is: pip installs the checkout with it as with hatchling, without a network.
BACKEND = """\
import pathlib, zipfile
FILES = {
    "coursekit.pth": str(pathlib.Path.cwd()),
    "coursekit-0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: coursekit\\nVersion: 0\\n",
    "coursekit-0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "coursekit-0.dist-info/RECORD": "",
}
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "coursekit-0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
    return name
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# Knows `uv venv --python PYTHON FOLDER` and `uv pip install --python PYTHON …`. At the FIFO $GATE it waits.
UV = """\
#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
venv*) exec "$3" -m venv --without-pip "$4" ;;
*--require-hashes*)
    [ -z "${GATE:-}" ] || read -r _ <"$GATE"
    [ -z "${UV_SAYS:-}" ] || { echo "$UV_SAYS" >&2; exit 2; } ;;
*-e*) exec "$4" -c 'import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "coursekit.pth").write_text(sys.argv[-1])' "$@" ;;
esac
"""


class Checkout:
    """A copy of the script in a folder whose name has a space, and what is needed to run it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the course"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.elsewhere = folder / "elsewhere"
        for made in (self.root / "coursekit", self.bin, self.elsewhere, folder / "home"):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "course", self.root)
        shutil.copy(ROOT / "coursekit" / "set_up.sh", self.root / "coursekit")
        (self.root / "requirements.lock").write_text("# nothing\n")
        (self.root / "pyproject.toml").write_text(PYPROJECT)
        (self.root / "backend.py").write_text(BACKEND)
        (self.root / "coursekit" / "__init__.py").touch()
        (self.root / "coursekit" / "__main__.py").write_text(CLI)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(folder / "home"),
            "CALLS": str(self.calls),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",  # the discard port: nobody listens
            "PIP_RETRIES": "0",
        }

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def lock(self) -> Path:
        return self.root / ".venv-setup.lock"

    def program(self, name: str, script: str) -> Path:
        """Puts a program of that name on the PATH."""
        path = self.bin / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    def python(self, name: str = "python3") -> Path:
        return self.program(name, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')

    def start(
        self, *arguments: str, script: Path | None = None, shell: str = "sh", **env: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(shutil.which(shell)), str(script or self.root / "course"), *arguments],
            cwd=self.elsewhere,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, script: Path | None = None, shell: str = "sh", **env: str) -> "Result":
        return Result.of(self.start(*arguments, script=script, shell=shell, **env))


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.said = err.splitlines()

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> "Result":
        out, err = communicate(process)
        return cls(process.returncode, out, err)

    @property
    def coursekit(self) -> dict[str, object]:
        """What the stub of coursekit saw."""
        assert self.code == 0, (self.code, self.said)
        return dict(json.loads(self.out))

    @property
    def failure(self) -> str:
        """The line that tells what failed."""
        assert self.code == 3, (self.code, self.out, self.said)
        assert self.out == ""
        assert all(line.startswith("course: ") for line in self.said), self.said
        return self.said[-1]


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout on a machine without Python and without uv."""
    return Checkout(tmp_path)


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout on a machine with Python and the fake uv."""
    bare.python()
    bare.program("uv", UV)
    return bare


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """A checkout in which ./course has been run once."""
    assert checkout.run().coursekit
    checkout.calls.unlink()
    return checkout


# ---- the first call ----


@pytest.mark.parametrize("shell", SHELLS)
def test_first_call_makes_the_environment_and_runs_coursekit(checkout: Checkout, shell: str) -> None:
    """It is written for any POSIX shell: Debian's sh is dash, that of macOS is bash or zsh."""
    seen = checkout.run("0", "two words", shell=shell)

    assert len(seen.said) == 1
    assert "making .venv with Python 3." in seen.said[0]
    assert seen.coursekit["argv"] == ["coursekit", "0", "two words"]
    assert seen.coursekit["cwd"] == str(checkout.elsewhere)
    assert seen.coursekit["file"] == str(checkout.root / "coursekit" / "__main__.py")


def test_environment_is_on_path(ready: Checkout) -> None:
    """nbgrader calls alembic by name, and a kernel is started by the name `python`."""
    seen = ready.run().coursekit

    assert seen["path"] == str(ready.venv / "bin")
    assert seen["venv"] == str(ready.venv)


def test_files_in_the_current_folder_do_not_shadow_modules(ready: Checkout) -> None:
    """./course is often called in a folder with a student's files."""
    (ready.elsewhere / "json.py").write_text("raise SystemExit('a student wrote this')")

    seen = ready.run().coursekit

    assert "" not in seen["sys_path"]  # type: ignore[operator]
    assert str(ready.elsewhere) not in seen["sys_path"]  # type: ignore[operator]


def test_exit_code_is_that_of_coursekit(ready: Checkout) -> None:
    assert ready.run("2").code == 2


def test_first_and_second_call_with_pip(bare: Checkout) -> None:
    """The real venv and the real pip; the second call starts neither Python nor pip before coursekit.

    A student's file in the current folder does not get in their way.
    """
    python = bare.python()
    (bare.elsewhere / "venv.py").write_text("raise SystemExit('a student wrote this')")
    (bare.elsewhere / "pip.py").write_text("raise SystemExit('a student wrote this')")

    first = bare.run()
    python.unlink()
    written = (bare.root / ".venv-setup.log").stat().st_mtime_ns
    second = bare.run()

    assert first.coursekit == second.coursekit
    assert len(first.said) == 1
    assert first.said[0].endswith("and pip; this takes about a minute, once")
    assert second.said == []
    assert (bare.root / ".venv-setup.log").stat().st_mtime_ns == written
    assert not bare.lock.exists()


def test_uv_is_used_when_it_is_there_and_hashes_are_required(checkout: Checkout) -> None:
    assert checkout.run().said[0].endswith("and uv; this takes about a minute, once")

    made, locked, itself = checkout.calls.read_text().splitlines()
    assert made.startswith("venv --python ")
    assert locked.endswith(f"--require-hashes -r {checkout.root}/requirements.lock")
    assert itself.endswith(f"--no-deps --no-build-isolation -e {checkout.root}")


def test_second_call_installs_nothing(ready: Checkout) -> None:
    again = ready.run()

    assert again.coursekit
    assert again.said == []
    assert not ready.calls.exists()


def test_script_finds_its_folder_through_symbolic_links(ready: Checkout) -> None:
    """One link with an absolute target, which leads over one with a relative target."""
    near = ready.root / "near"
    near.symlink_to("course")
    far = ready.elsewhere / "far"
    far.symlink_to(near)

    seen = ready.run(script=far)

    assert seen.coursekit["venv"] == str(ready.venv)
    assert seen.said == []


# ---- which Python ----


def test_missing_python_is_told(bare: Checkout) -> None:
    assert bare.run().failure == (
        "course: Python 3.11 or newer is needed, but none was found; install one,"
        " or name it: COURSE_PYTHON=/path/to/python3 ./course"
    )
    assert not bare.venv.exists()


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.10.13"])
def test_too_old_python_is_told_with_its_version(bare: Checkout, version: str) -> None:
    bare.program("python3", f"#!/bin/sh\necho {version} /usr/bin/python3\n")

    result = bare.run()

    assert f"but python3 is {version}; install one" in result.failure
    assert len(result.said) == 1
    assert not bare.venv.exists()


def test_names_that_do_not_run_or_are_too_old_are_passed_over(checkout: Checkout) -> None:
    """pyenv puts a python3.13 on the PATH that runs only where that version is switched on."""
    checkout.program("python3.13", "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    checkout.program("python3.12", "#!/bin/sh\necho 3.9.2 /usr/bin/python3.12\n")

    assert checkout.run().coursekit


@pytest.mark.parametrize("version", ["3.11.0", "3.14.1", "3.20.0"])
def test_newer_pythons_are_taken(checkout: Checkout, version: str) -> None:
    """3.9 is older than 3.11, and 3.20 is not."""
    checkout.program("python3", f'#!/bin/sh\necho {version} "{sys.executable}"\n')

    assert f"with Python {version} and uv" in checkout.run().said[0]


def test_course_python_decides(ready: Checkout) -> None:
    """Another one than .venv was made with makes it anew; then that is kept without naming it again."""
    other = ready.python("my python")

    first = ready.run(COURSE_PYTHON=str(other))
    second = ready.run()

    assert "making .venv again" in first.said[0]
    assert first.coursekit == second.coursekit
    assert second.said == []


def test_course_python_that_does_not_run_is_told_and_the_environment_is_kept(ready: Checkout) -> None:
    result = ready.run(COURSE_PYTHON="/no/such/python3")

    assert "but /no/such/python3 does not run; install one" in result.failure
    assert ready.run().said == []


def test_environment_is_not_made_from_itself(ready: Checkout) -> None:
    """With .venv activated, `python3` is the one in .venv, which is about to be deleted."""
    (ready.venv / ".course-stamp").unlink()

    result = ready.run(PATH=f"{ready.venv}/bin:{ready.bin}")

    assert result.coursekit
    assert Path(os.path.realpath(ready.venv / "bin" / "python")).exists()


# ---- what goes wrong ----


def test_no_network_is_told_with_pip(bare: Checkout) -> None:
    bare.python()
    (bare.root / "requirements.lock").write_text(f"numpy==2.4.6 --hash=sha256:{64 * '0'}\n")

    result = bare.run()

    assert NO_INDEX in result.failure
    assert f"(details: {bare.root}/.venv-setup.log)" in result.failure
    assert "numpy==2.4.6" in (bare.root / ".venv-setup.log").read_text()
    assert len(result.said) == 2
    assert not bare.lock.exists()


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("  Caused by: dns error: failed to lookup address information", NO_INDEX),
        ("  Caused by: tcp connect error: Connection refused (os error 111)", NO_INDEX),
        ("WARNING: connection broken by 'NewConnectionError(...)'", NO_INDEX),
        (
            "error: Hash mismatch for numpy==2.4.6",
            "the set-up failed (error: Hash mismatch for numpy==2.4.6)",
        ),
        ("error: No space left on device (os error 28)", "No space left on device"),
        ("Killed", "the set-up failed (Killed)"),
    ],
)
def test_failed_set_up_is_told_and_begun_again(checkout: Checkout, says: str, told: str) -> None:
    result = checkout.run(UV_SAYS=says)

    assert told in result.failure
    assert result.failure.endswith(f"then run ./course again (details: {checkout.root}/.venv-setup.log)")
    again = checkout.run()
    assert again.coursekit
    assert "making .venv again (it is unfinished" in again.said[0]


def test_python_without_venv_is_told(bare: Checkout) -> None:
    """Debian and Ubuntu have the module in a package of its own."""
    says = "The virtual environment was not created successfully because ensurepip is not available."
    bare.program("python3", f'#!/bin/sh\n[ "$1" = -c ] && echo "3.11.2 $0" || {{ echo "{says}"; exit 1; }}\n')

    assert "on Debian and Ubuntu, first: apt install python3-venv" in bare.run().failure


@pytest.mark.parametrize("damage", ["no python", "python is gone", "empty stamp", "no bin"])
def test_broken_environment_is_made_again(ready: Checkout, damage: str) -> None:
    """Python is gone after an update of the system, say; nobody need know what to do about it."""
    python = ready.venv / "bin" / "python"
    if damage == "empty stamp":
        (ready.venv / ".course-stamp").write_text("")
    elif damage == "no bin":
        shutil.rmtree(python.parent)
    else:
        python.unlink()
        if damage == "python is gone":
            python.symlink_to("/no/such/python3")

    result = ready.run()

    assert result.coursekit
    assert len(result.said) == 1
    assert "making .venv again (it is unfinished, broken," in result.said[0]


def test_environment_that_lacks_a_package_is_told(ready: Checkout) -> None:
    """Nothing short of starting Python can see this beforehand, and no start waits for that."""
    (ready.root / "coursekit" / "__main__.py").write_text("import no_such_package\n")

    result = ready.run()

    assert result.failure == (
        "course: coursekit does not start (No module named 'no_such_package');"
        " delete the folder .venv and run ./course again"
    )
    assert len(result.said) == 1


def test_moved_checkout_runs_the_code_of_its_new_place(ready: Checkout) -> None:
    """The .venv of a moved or copied checkout still points to the old one."""
    moved = ready.root.with_name("moved")
    shutil.copytree(ready.root, moved, symlinks=True)

    result = ready.run(script=moved / "course")

    assert result.coursekit["file"] == str(moved / "coursekit" / "__main__.py")
    assert "making .venv again" in result.said[0]


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_changed_lock_updates_the_environment(ready: Checkout, name: str) -> None:
    """In place: what was installed before stays, so that offline work goes on if the update fails."""
    with (ready.root / name).open("a") as file:
        file.write("# changed\n")

    failed = ready.run(UV_SAYS="dns error")
    updated = ready.run()

    assert NO_INDEX in failed.failure
    assert updated.coursekit
    assert updated.said == ["course: updating .venv, because requirements.lock or pyproject.toml has changed"]
    assert "venv --python" not in ready.calls.read_text()
    assert ready.run().said == []


def test_update_with_pip_of_an_environment_that_uv_made(ready: Checkout) -> None:
    """uv puts no pip into the .venv that it makes, and may be gone when the lock changes."""
    (ready.bin / "uv").unlink()
    with (ready.root / "requirements.lock").open("a") as file:
        file.write("# changed\n")

    assert ready.run().coursekit


# ---- interrupted, and two at a time ----


@pytest.fixture
def gate(checkout: Checkout) -> Path:
    """Opening it to write waits until the set-up has come to the packages; closing it lets it go on."""
    path = checkout.elsewhere / "gate"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_interrupted_set_up_is_begun_again(checkout: Checkout, gate: Path, name: str) -> None:
    """After SIGKILL the lock stays; its process is gone, so nobody waits for it."""
    process = checkout.start(GATE=str(gate))
    with gate.open("w"):
        os.killpg(process.pid, signal.Signals[name])
        interrupted = Result.of(process)

    assert interrupted.code != 0
    assert interrupted.out == ""
    assert checkout.lock.exists() is (name == "SIGKILL")
    again = checkout.run()
    assert again.coursekit
    assert len(again.said) == 1
    assert "making .venv again (it is unfinished" in again.said[0]
    assert not checkout.lock.exists()


def test_second_call_waits_for_the_set_up_of_the_first(checkout: Checkout, gate: Path) -> None:
    first = checkout.start(GATE=str(gate))
    with gate.open("w"):
        second = checkout.start()
        assert second.stderr is not None
        waiting = second.stderr.readline()

    assert f"course: waiting for the set-up that process {first.pid} is doing" in waiting
    assert f"if there is none, delete {checkout.lock}" in waiting
    assert Result.of(first).coursekit
    assert Result.of(second).coursekit
    assert len(checkout.calls.read_text().splitlines()) == 3, "one set-up is three calls of uv"


def test_second_call_takes_over_when_the_first_fails(checkout: Checkout, gate: Path) -> None:
    first = checkout.start(GATE=str(gate), UV_SAYS="error: broken wheel")
    with gate.open("w"):
        second = checkout.start()
        assert second.stderr is not None
        assert "waiting" in second.stderr.readline()

    assert "broken wheel" in Result.of(first).failure
    assert Result.of(second).coursekit


# ---- the lock file ----


def locked() -> dict[str, str]:
    """Version by name, from requirements.lock."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_lock_gives_every_package_an_exact_version_and_hashes() -> None:
    entries = LOCK.read_text().replace("\\\n", " ").splitlines()
    packages = [entry for entry in entries if not entry.lstrip().startswith("#")]

    assert len(packages) > 100
    for package in packages:
        pin = r"[\w.-]+==[\w.]+( ; [^;#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+"
        assert re.fullmatch(pin, package), package[:80]


def test_lock_names_no_host_and_no_folder() -> None:
    """It must work with any index, and on any machine."""
    assert not re.search(r"://|(^|\s)[/~]|index-url|find-links|trusted-host", LOCK.read_text())


def test_lock_satisfies_pyproject() -> None:
    """Somebody who changed a range and forgot the lock is told here, and not by a broken first start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += project["project"]["optional-dependencies"]["dev"]

    versions = locked()
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), str(requirement)

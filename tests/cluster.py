"""A Dask cluster on this machine whose workers have a Python of their own: our packages, and nothing of the course."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from coursekit.system.versions import ARITHMETIC
from tests.classroom import ROOT
from tests.patience import until


@dataclass(frozen=True)
class Cluster:
    """The scheduler's address, and the processes of the workers."""

    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: "tuple[subprocess.Popen[bytes], ...]"


def python(folder: Path) -> Path:
    """A Python with our installed packages and coursekit, as a wheel installs it: without any module of the course.

    The checkout is found through a .pth file, and such files are read in a Python's own site-packages only.
    """
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder), "platbase": str(folder)}))
    (site / "packages.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    for package in ("coursekit", "selfcheck"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "bin" / "python"


@contextmanager
def running(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler and its workers, each a process in an empty working directory; they end with the block."""
    program, said = python(folder / "python"), folder / "scheduler.json"
    with ExitStack() as stack:

        def start(name: str, *command: str) -> "subprocess.Popen[bytes]":
            home = folder / name
            home.mkdir()
            env = {name: os.environ[name] for name in ("PATH", *ARITHMETIC) if name in os.environ}
            env |= {"HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
            with (folder / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(
                    [str(program), "-P", "-m", *command], cwd=home, env=env, stdout=log, stderr=log
                )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        options = ("--host", "127.0.0.1", "--no-dashboard")
        scheduler = start("scheduler", "distributed.cli.dask_scheduler", *options, "--port", "0",
                          "--scheduler-file", str(said))  # fmt: skip
        started = tuple(
            start(f"worker-{number}", "distributed.cli.dask_worker", *options, "--scheduler-file", str(said),
                  "--nthreads", "1", "--no-nanny", "--name", f"worker-{number}")
            for number in range(workers)
        )  # fmt: skip
        yield Cluster(_address(said, scheduler), scheduler, started)


def _address(said: Path, scheduler: "subprocess.Popen[bytes]") -> str:
    def read() -> str:
        assert scheduler.poll() is None, f"the scheduler does not run with {sys.executable}"
        try:
            return str(json.loads(said.read_text())["address"])
        except (OSError, ValueError):
            return ""

    return until(read, "the scheduler")

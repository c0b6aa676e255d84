"""The JupyterLab process: start it, wait until it answers, and stop it with its kernels."""

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursekit.lab.plan import LabServer
from coursekit.model.errors import CourseError
from coursekit.system import deadline
from coursekit.system.deadline import Deadline

# Extended on a busy computer (``Deadline``).
START_TIMEOUT_S = 60.0  # 5 to 7 s on a laptop; the first start on a cold disk takes much longer
STOP_TIMEOUT_S = 15.0
_REQUEST_TIMEOUT_S = 30.0  # then the request is repeated


@contextmanager
def running(server: LabServer, timeout_s: float = START_TIMEOUT_S) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server within the block; yields when it answers, and ends it with its kernels. Raises CourseError."""
    for path, text in server.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server.command,
            cwd=server.folder,  # nbgrader reads nbgrader_config.py there
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for our process: the server would ask for confirmation
        )
    try:
        _wait_until_up(server, process, timeout_s)
        yield process
    finally:
        _stop(process)


def _wait_until_up(server: LabServer, process: subprocess.Popen[bytes], timeout_s: float) -> None:
    asked = urllib.request.Request(f"{server.url}/api/status", headers={"Authorization": f"token {server.token}"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through the user's proxy
    until = Deadline(timeout_s)
    while (left_s := until.left_s()) > 0:
        if process.poll() is not None:
            raise CourseError("JupyterLab", f"it does not start (exit code {process.returncode})",
                              f"see {server.log}:\n{tail(server.log)}")  # fmt: skip
        try:
            with direct.open(asked, timeout=min(_REQUEST_TIMEOUT_S, left_s)):
                return
        except OSError:
            time.sleep(0.1)
    raise CourseError("JupyterLab", f"it is not up after {timeout_s:g} s", f"see {server.log}:\n{tail(server.log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels; kill it after ``STOP_TIMEOUT_S``."""
    process.terminate()
    try:
        deadline.ended(process, Deadline(STOP_TIMEOUT_S))
    except KeyboardInterrupt:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

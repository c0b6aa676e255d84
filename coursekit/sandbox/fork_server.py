"""The grader's side of the fork server: its process, and the control socket that carries requests and answers."""

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.sandbox import bubblewrap, host_cache, seccomp
from coursekit.sandbox.guest import channel
from coursekit.sandbox.isolation import Isolation, tail, was_killed
from coursekit.sandbox.timeouts import CpuUsage
from coursekit.system import deadline
from coursekit.system.deadline import Deadline

# How long to wait for the server, which runs no code of a student's. ``Deadline`` extends these limits under load.
START_S = 60.0  # it takes 1 s on an idle computer
ANSWER_S = 10.0  # it takes a few milliseconds
END_S = 5.0  # for the clean-up: if it takes longer, the sandbox is discarded
_MAX_MESSAGE_BYTES = 1 << 24


WarmUpCall = tuple[str, str, list[Any], dict[str, Any]]  # module, function, arguments, keyword arguments


class ServerLost(Exception):
    """The server has ended, or does not answer."""


class ForkServer:
    """A running fork server. Raises CourseError if it cannot be started, ServerLost if it was killed while starting."""

    def __init__(
        self,
        files: Mapping[str, Path],
        limits: Mapping[str, int],
        layers: Isolation,
        warm_up_calls: Sequence[WarmUpCall] = (),
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._folder = "" if layers.bwrap else tempfile.mkdtemp(prefix="coursekit-")
        self.control, theirs = socket.socketpair()
        self._lines, self._exit_reason = channel.LineBuffer(_MAX_MESSAGE_BYTES), ""
        self._received: list[dict[str, Any]] = []  # messages that were read from the socket, but not used yet
        try:
            with theirs:
                self._process = self._start(layers, theirs.fileno(), limits)
            trusted = {name: path.read_bytes() for name, path in files.items()}
            message, data = _start_message(trusted, limits, layers, self._folder)
            figures_file = host_cache.figures_file_name(trusted, warm_up_calls)
            message |= {"beforehand": list(warm_up_calls), "pictures": host_cache.figures(figures_file)}
            with _in_a_file(data) as bundle:
                self._send(message, [bundle])
            ready = self._receive("ready", START_S)
            new_fonts = host_cache.store_fonts(ready.get("fonts", {}))
            new_figures = host_cache.store_figures(figures_file, ready.get("drawn", {}))
            self.filled_cache = new_fonts or new_figures  # it made what every later server reads from the cache
        except (ServerLost, OSError) as error:
            why, killed = tail(self._log) or str(error), self._was_killed()
            self.close()
            if killed:
                raise ServerLost("it was killed as it started") from error
            raise CourseError("sandbox", f"the fork server does not start: {why}", _remedy(why)) from error
        except BaseException:
            self.close()
            raise

    def _start(self, layers: Isolation, control: int, limits: Mapping[str, int]) -> "subprocess.Popen[bytes]":
        if layers.bwrap:
            command = [bubblewrap.python(), "-m", f"{bubblewrap.GUEST.name}.server", str(control)]
            code = seccomp.sandbox_filter() if layers.seccomp else b""
            return bubblewrap.start(layers.bwrap, command, code, [control], limits["scratch_mib"], self._log)
        for name in ("home", "tmp"):
            Path(self._folder, name).mkdir()
        bin_folder = str(Path(sys.executable).parent)
        env = bubblewrap.environment(f"{self._folder}/home", f"{self._folder}/tmp", bin_folder)
        env["PYTHONPATH"] = str(bubblewrap.GUEST.parent)
        command = [sys.executable, "-m", f"{bubblewrap.GUEST.name}.server", str(control)]
        # Not killed with this process: it outlives it for the clean-up.
        return bubblewrap.launch(command, {}, None, [control], self._log, env, tied_to_parent=False)

    def _was_killed(self) -> bool:
        """Whether the process was killed."""
        try:
            return deadline.ended(self._process, Deadline(END_S)) and was_killed(self._process.returncode)
        except AttributeError:  # it was never started
            return False

    def fork(self, table: Sequence[tuple[str, int]], data: bytes) -> socket.socket:
        """Fork a child; returns the socket to it. Raises ServerLost."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, _in_a_file(data) as bundle:
                self._send({"op": "fork", "table": list(table)}, [theirs.fileno(), bundle])
            self._receive("forked", ANSWER_S)
            self._until_ready(ours)
        except BaseException:
            ours.close()
            raise
        return ours

    def _until_ready(self, child_socket: socket.socket) -> None:
        """Wait for the child's "ready": it is restricted and its shell is made. No student code runs before that."""
        if not deadline.readable(child_socket, Deadline(ANSWER_S)):
            raise ServerLost(f"the child does not answer: no answer in {ANSWER_S:g} s")
        try:
            answer = child_socket.recv(1 << 12)  # one short line; nothing follows it before the first request
        except OSError as error:
            raise ServerLost(f"the child does not answer: {error}") from error
        said: dict[str, Any] = channel.parse(answer.strip()) or {}
        if said.get("ready") is not True:
            raise ServerLost(str(said.get("failed") or self.exit_reason(1.0) or "the child did not get ready"))

    def interrupt(self) -> None:
        """Send the child a SIGINT and wait for the server to confirm it: a late one would stop the next cell."""
        with contextlib.suppress(ServerLost):
            self._send({"op": "interrupt"})
            self._receive("interrupted", ANSWER_S)

    def usage(self) -> CpuUsage:
        """CPU wait and CPU time of the child's processes; zero if the server is lost."""
        try:
            self._send({"op": "usage"})
            return CpuUsage(*self._receive("usage", ANSWER_S)["usage"])
        except ServerLost:
            return CpuUsage()

    @property
    def unread(self) -> bool:
        """Whether there are received messages that nobody has asked for yet."""
        return bool(self._received)

    def exit_reason(self, wait_s: float = 0.0) -> str:
        """Why the child or the server ended, as soon as that is known; empty while both run."""
        if not self._exit_reason:
            try:
                self._exit_reason = str(self._receive("died", wait_s)["died"])
            except ServerLost as error:
                if str(error):
                    self._exit_reason = str(error)
        return self._exit_reason

    def end(self) -> bool:
        """Kill all processes of the child and delete its files. False: that failed, so discard the sandbox."""
        try:
            self._send({"op": "end"})
            return bool(self._receive("ended", END_S)["ended"].get("clean"))
        except ServerLost:
            return False
        finally:  # messages about this child must not be read as messages about the next
            self._received.clear()
            self._exit_reason = ""

    def close(self) -> None:
        """End the server's process with everything in the sandbox, and delete its folder."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)  # without namespaces, this makes the server kill what it started
        if process := getattr(self, "_process", None):
            with ExitStack() as stack:
                if self._folder:
                    deadline.ended(process, Deadline(END_S))
                stack.callback(process.wait)
                process.kill()
            with contextlib.suppress(OSError):  # bwrap has ended: pid 1 ends next, which closes the socket
                until = Deadline(ANSWER_S)
                while deadline.readable(self.control, until) and self.control.recv(1 << 16):
                    pass
        self.control.close()
        self._log.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            if Path(self._folder).exists():  # folders too deep for Python
                subprocess.run(["rm", "-rf", self._folder], check=False, stderr=subprocess.DEVNULL)

    def _send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        line = channel.encode(dict(message))
        try:
            deadline.send(self.control, line, Deadline(START_S), descriptors)  # a starting server does not read yet
        except TimeoutError as error:
            raise ServerLost(str(error)) from error
        except OSError as error:
            raise ServerLost(f"the sandbox has ended ({error.strerror})") from error

    def _receive(self, kind: str, timeout_s: float) -> dict[str, Any]:
        """Wait for the next message of this kind. Raises ServerLost, with an empty text if a short wait timed out."""
        until = Deadline(timeout_s)
        while True:
            for message in self._received:
                if kind in message:
                    self._received.remove(message)
                    return message
            if not deadline.readable(self.control, until):
                raise ServerLost("" if timeout_s < ANSWER_S / 2 else f"no answer in {timeout_s:g} s")
            try:
                data = self.control.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                raise ServerLost("the sandbox has ended")
            self._received += filter(None, map(channel.parse, self._lines.feed(data)))


def _start_message(
    trusted: Mapping[str, bytes], limits: Mapping[str, int], layers: Isolation, folder: str
) -> tuple[dict[str, Any], bytes]:
    """The first message to the server, and the concatenated contents of the files that go with it."""
    fonts = {f".config/matplotlib/{name}": data for name, data in host_cache.fonts().items()}
    parts = [("home", name, data) for name, data in fonts.items()]
    parts += [("trusted", name, data) for name, data in trusted.items()]
    home, tmp = (f"{folder}/home", f"{folder}/tmp") if folder else (bubblewrap.HOME, bubblewrap.TMP)
    message = {
        "table": [(kind, name, len(data)) for kind, name, data in parts],
        "modules": sorted(name.removesuffix(".py") for name in trusted if name.endswith(".py") and "/" not in name),
        "limits": dict(limits),
        "home": home,
        "folder": f"{home}/work",
        "scratch": [home, tmp] if folder else [home, tmp, bubblewrap.SHM],
        "namespaced": not folder,
        "landlock": layers.landlock and not folder,
        "filter": seccomp.child_filter().hex() if layers.seccomp and not folder else "",
    }
    return message, b"".join(data for _, _, data in parts)


@contextmanager
def _in_a_file(data: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file.fileno()


def _remedy(why: str) -> str:
    if "ermission denied" in why or "execvp" in why:
        return "let every user read the interpreter and its packages (chmod -R go+rX .venv), or run coursekit doctor"
    return "run coursekit doctor, which tries every wall by itself"

"""The fork server seen from outside: its process, and the socket over which it is told what to do."""

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
from coursekit.sandbox.isolation import Walls, tail, was_killed
from coursekit.sandbox.timeouts import Usage
from coursekit.system import deadline
from coursekit.system.deadline import Deadline

# Limits of waiting for the server, which runs no code of a student's: a busy machine puts them off (``Deadline``).
START_S = 60.0  # it takes 1 s on a machine that has nothing else to do
ANSWER_S = 10.0  # a few milliseconds
END_S = 5.0  # for killing and wiping: whoever needs longer loses the sandbox
_MAX_MESSAGE_BYTES = 1 << 24


Call = tuple[str, str, list[Any], dict[str, Any]]  # module, function, arguments, keyword arguments


class ServerLost(Exception):
    """The server died, or does not answer."""


class Server:
    """A running fork server. Raises CourseError when it cannot be started, ServerLost when it was killed meanwhile."""

    def __init__(
        self, files: Mapping[str, Path], limits: Mapping[str, int], walls: Walls, beforehand: Sequence[Call] = ()
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._folder = "" if walls.bwrap else tempfile.mkdtemp(prefix="coursekit-")
        self.control, theirs = socket.socketpair()
        self._lines, self._obituary, self._heard = channel.Lines(_MAX_MESSAGE_BYTES), "", list[dict[str, Any]]()
        try:
            with theirs:
                self._process = self._start(walls, theirs.fileno(), limits)
            trusted = {name: path.read_bytes() for name, path in files.items()}
            orders, data = _orders(trusted, limits, walls, self._folder)
            album = host_cache.pictures_name(trusted, beforehand)
            orders |= {"beforehand": list(beforehand), "pictures": host_cache.pictures(album)}
            with _in_a_file(data) as bundle:
                self._tell(orders, [bundle])
            ready = self._hear("ready", START_S)
            new = host_cache.keep_fonts(ready.get("fonts", {})), host_cache.keep_pictures(album, ready.get("drawn", {}))
            self.first = any(new)  # it has made what every later server is given
        except (ServerLost, OSError) as error:
            why, killed = tail(self._log) or str(error), self._was_killed()
            self.close()
            if killed:
                raise ServerLost("it was killed as it started") from error
            raise CourseError("sandbox", f"the fork server does not start: {why}", _remedy(why)) from error
        except BaseException:
            self.close()
            raise

    def _start(self, walls: Walls, control: int, limits: Mapping[str, int]) -> "subprocess.Popen[bytes]":
        if walls.bwrap:
            command = [bubblewrap.python(), "-m", f"{bubblewrap.INSIDE.name}.server", str(control)]
            code = seccomp.program() if walls.seccomp else b""
            return bubblewrap.start(walls.bwrap, command, code, [control], limits["scratch_mib"], self._log)
        for name in ("home", "tmp"):
            Path(self._folder, name).mkdir()
        bin_folder = str(Path(sys.executable).parent)
        env = bubblewrap.environment(f"{self._folder}/home", f"{self._folder}/tmp", bin_folder)
        env["PYTHONPATH"] = str(bubblewrap.INSIDE.parent)
        command = [sys.executable, "-m", f"{bubblewrap.INSIDE.name}.server", str(control)]
        return bubblewrap.launch(command, {}, None, [control], self._log, env, bound=False)  # it clears up behind us

    def _was_killed(self) -> bool:
        """Whether the process has ended, and not by itself."""
        try:
            return deadline.ended(self._process, Deadline(END_S)) and was_killed(self._process.returncode)
        except AttributeError:  # it was never there
            return False

    def fork(self, table: Sequence[tuple[str, int]], data: bytes) -> socket.socket:
        """A new child's line. Raises ServerLost."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, _in_a_file(data) as bundle:
                self._tell({"op": "fork", "table": list(table)}, [theirs.fileno(), bundle])
            self._hear("forked", ANSWER_S)
            self._until_ready(ours)
        except BaseException:
            ours.close()
            raise
        return ours

    def _until_ready(self, line: socket.socket) -> None:
        """The child says that its walls are up and its shell is made, before it runs anything of the student's."""
        if not deadline.readable(line, Deadline(ANSWER_S)):
            raise ServerLost(f"the child does not answer: no answer in {ANSWER_S:g} s")
        try:
            answer = line.recv(1 << 12)  # one short line, and nothing behind it before there is a request
        except OSError as error:
            raise ServerLost(f"the child does not answer: {error}") from error
        said: dict[str, Any] = channel.parse(answer.strip()) or {}
        if said.get("ready") is not True:
            raise ServerLost(str(said.get("failed") or self.obituary(1.0) or "the child did not get ready"))

    def interrupt(self) -> None:
        """The child got a SIGINT: the server says so, for one that came late would stop the next cell."""
        with contextlib.suppress(ServerLost):
            self._tell({"op": "interrupt"})
            self._hear("interrupted", ANSWER_S)

    def usage(self) -> Usage:
        """What the child's processes have waited for a processor, and used; nothing where the server is lost."""
        try:
            self._tell({"op": "usage"})
            return Usage(*self._hear("usage", ANSWER_S)["usage"])
        except ServerLost:
            return Usage()

    @property
    def unread(self) -> bool:
        """Whether something was heard that nobody has asked for yet."""
        return bool(self._heard)

    def obituary(self, wait_s: float = 0.0) -> str:
        """In words, how the child or the server died, as soon as that is known; empty while both live."""
        if not self._obituary:
            try:
                self._obituary = str(self._hear("died", wait_s)["died"])
            except ServerLost as error:
                if str(error):
                    self._obituary = str(error)
        return self._obituary

    def end(self) -> bool:
        """Everything that the child started is dead and what it wrote is wiped. False: throw the sandbox away."""
        try:
            self._tell({"op": "end"})
            return bool(self._hear("ended", END_S)["ended"].get("clean"))
        except ServerLost:
            return False
        finally:  # whatever was said of this child is not said of the next
            self._heard.clear()
            self._obituary = ""

    def close(self) -> None:
        """The server's process is gone, with everything in the sandbox; nothing of it is left in any folder."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)  # where there are no namespaces, it kills what it started
        if process := getattr(self, "_process", None):
            with ExitStack() as stack:
                if self._folder:
                    deadline.ended(process, Deadline(END_S))
                stack.callback(process.wait)
                process.kill()
            with contextlib.suppress(OSError):  # bwrap is gone: pid 1 follows, and with its end the line closes
                until = Deadline(ANSWER_S)
                while deadline.readable(self.control, until) and self.control.recv(1 << 16):
                    pass
        self.control.close()
        self._log.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            if Path(self._folder).exists():  # folders too deep for Python
                subprocess.run(["rm", "-rf", self._folder], check=False, stderr=subprocess.DEVNULL)

    def _tell(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        line = channel.encode(dict(message))
        try:
            deadline.send(self.control, line, Deadline(START_S), descriptors)  # one that starts up does not read yet
        except TimeoutError as error:
            raise ServerLost(str(error)) from error
        except OSError as error:
            raise ServerLost(f"the sandbox has ended ({error.strerror})") from error

    def _hear(self, kind: str, timeout_s: float) -> dict[str, Any]:
        """The next message of that kind. Raises ServerLost, without words when merely the time was over."""
        until = Deadline(timeout_s)
        while True:
            for message in self._heard:
                if kind in message:
                    self._heard.remove(message)
                    return message
            if not deadline.readable(self.control, until):
                raise ServerLost("" if timeout_s < ANSWER_S / 2 else f"no answer in {timeout_s:g} s")
            try:
                data = self.control.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                raise ServerLost("the sandbox has ended")
            self._heard += filter(None, map(channel.parse, self._lines.feed(data)))


def _orders(
    trusted: Mapping[str, bytes], limits: Mapping[str, int], walls: Walls, folder: str
) -> tuple[dict[str, Any], bytes]:
    """What the server is told at its start, and the files that come with it, one behind the other."""
    fonts = {f".config/matplotlib/{name}": data for name, data in host_cache.fonts().items()}
    parts = [("home", name, data) for name, data in fonts.items()]
    parts += [("trusted", name, data) for name, data in trusted.items()]
    home, tmp = (f"{folder}/home", f"{folder}/tmp") if folder else (bubblewrap.HOME, bubblewrap.TMP)
    orders = {
        "table": [(kind, name, len(data)) for kind, name, data in parts],
        "modules": sorted(name.removesuffix(".py") for name in trusted if name.endswith(".py") and "/" not in name),
        "limits": dict(limits),
        "home": home,
        "folder": f"{home}/work",
        "scratch": [home, tmp] if folder else [home, tmp, bubblewrap.SHM],
        "namespaced": not folder,
        "landlock": walls.landlock and not folder,
        "filter": seccomp.for_a_child().hex() if walls.seccomp and not folder else "",
    }
    return orders, b"".join(data for _, _, data in parts)


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

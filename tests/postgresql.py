"""A PostgreSQL server for a test, from the programs of the system's package, in a folder of its own."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests import leaks

PASSWORD = "t0p-secret"
USER = "grader"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, which Debian does not put on the path; None where there is none."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "pg_ctl").exists()), None)


@dataclass
class Server:
    """A server that listens on a socket in ``folder``, and on no port."""

    programs: Path
    folder: Path
    _names: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off"
        with leaks.of_a_fixture():
            self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

    def database(self) -> str:
        """The address of a new and empty database."""
        import psycopg

        name = f"course{next(self._names)}"
        with psycopg.connect(host=str(self.folder), user=USER, password=PASSWORD, dbname="postgres") as connection:
            connection.autocommit = True
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, name: str, password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{quote(password, safe='')}@/{name}?host={self.folder}"

    def initialise(self) -> None:
        (self.folder / "password").write_text(PASSWORD)
        self._own()
        self._run("initdb", "-D", "data", "-U", USER, "-A", "scram-sha-256", "--pwfile", "password", "--no-sync",
                  "-E", "UTF8", "--locale=C")  # fmt: skip

    def _own(self) -> None:
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, *_nobody())

    def _run(self, program: str, *options: str) -> None:
        user, group = _nobody() if os.geteuid() == 0 else (None, None)  # the server refuses to run as root
        subprocess.run(
            [str(self.programs / program), *options],
            cwd=self.folder,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """The server runs until the block ends."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as short:  # the path of a socket has 107 bytes at most
        server = Server(folder, Path(short))
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()

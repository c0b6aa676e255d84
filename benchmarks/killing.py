"""A killer: at random moments it ends random processes of one family, as kill -9 does, and never anybody else's."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GRADER, WORKER, HELPER, WALL, SERVER, CHILD = "grader", "worker", "helper", "bubblewrap", "fork server", "submission"
# How often each is chosen, where there is one. The grader takes all others with it.
WEIGHTS = {GRADER: 2, WORKER: 5, HELPER: 1, WALL: 3, SERVER: 5, CHILD: 4}
PATIENT = 0.75  # so many of the kills wait until something was done since the last one: else nothing ever ends
TICK_S = 0.1


@dataclass(frozen=True)
class Member:
    """A process below the grader, or itself; ``began`` tells it apart from a later one of the same number."""

    pid: int
    began: str
    role: str


def family(grader: int) -> list[Member]:
    """A child of this very process and all that descend from it, with what each is; nobody, if it is no child of ours.

    As long as this process has not waited for it, no other one can have its number.
    """
    known: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, *fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if state != "Z":
                known[int(folder.name)] = (int(parent), fields[17])
    if known.get(grader, (0, ""))[0] != os.getpid():
        return []
    found = [Member(grader, known[grader][1], GRADER)]
    for above in found:
        below = (pid for pid, (parent, _) in known.items() if parent == above.pid)
        found += [Member(pid, known[pid][1], _role(pid, above.role)) for pid in below]
    return found


def _role(pid: int, above: str) -> str:
    command = b""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    if above == GRADER:
        return WORKER if b"spawn_main" in command else HELPER if b"resource_tracker" in command else WALL
    return {WORKER: WALL, WALL: SERVER, SERVER: CHILD}.get(above, CHILD)


def alive(member: Member) -> bool:
    """Whether it runs, still the same one."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{member.pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0] != "Z" and fields[19] == member.began
    return False


class Killer:
    """Kills in a thread of its own, at most ``times``; a context manager. Tell it who the grader is with ``follow``.

    Who is next, and when at the earliest, is drawn before. ``progress`` says how far the grader is; those kills that
    are patient wait until it is ``steps`` further, so that they are spread over all of the grading.
    """

    def __init__(
        self, seed: int, times: int, every_s: tuple[float, float], progress: Callable[[], int], steps: int
    ) -> None:
        self._draw, self._times, self._every_s = random.Random(seed), times, every_s
        self._progress, self._steps = progress, steps
        self._grader = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self.killed: Counter[str] = Counter()
        self.seen: set[Member] = set()  # everybody who was ever met, to see whether anybody stays

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def follow(self, grader: int) -> None:
        """From now on this is the grader, a child of this very process; 0: nobody is."""
        self._grader = grader

    @property
    def done(self) -> bool:
        return self.killed.total() >= self._times

    def left(self, patience_s: float = 20.0) -> list[Member]:
        """Who of all is still alive, after as long as it takes to end."""
        deadline = time.monotonic() + patience_s
        while (found := [one for one in self.seen if alive(one)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _run(self) -> None:
        plan = [(role, self._draw.uniform(*self._every_s), self._draw.random() < PATIENT) for role in self._roles()]
        for role, pause_s, patient in plan:
            due, before = time.monotonic() + pause_s, self._progress()
            while (
                time.monotonic() < due
                or (patient and self._progress() < before + self._steps)
                or not self._kill_one(role)
            ):
                if self._over.wait(TICK_S):
                    return
                self._meet()
        while not self._over.wait(TICK_S):
            self._meet()

    def _roles(self) -> list[str]:
        return self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=self._times)

    def _meet(self) -> list[Member]:
        there = family(self._grader) if self._grader else []
        self.seen.update(there)
        return there

    def _kill_one(self, role: str) -> bool:
        there = [one for one in self._meet() if one.role == role]
        if not there or not kill(self._draw.choice(there)):
            return False
        self.killed[role] += 1
        return True


def kill(member: Member) -> bool:
    """Whether it was killed: this very process, and not a later one that has its number by now."""
    try:
        descriptor = os.pidfd_open(member.pid)
    except ProcessLookupError:
        return False
    try:
        if not alive(member):
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)

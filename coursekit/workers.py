"""Workers: processes that examine submissions side by side, each with a sandbox of its own; here or on a cluster."""

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from typing import Any

from coursekit import outcomes
from coursekit.course import Course
from coursekit.marking import marker as marking
from coursekit.marking.runner import Limits
from coursekit.outcomes import Outcome

MAX_UNUSED = 20  # workers in a row that are killed before they have begun: then none will ever do anything
END_S = 10.0  # for a worker to end by itself
MAX_ATTEMPTS = 3  # in which a submission's worker may be killed, before it is told as a failure
AHEAD = 2  # submissions given to a worker: enough that it never waits


def examine_all(
    course: Course,
    assignment: str,
    students: Sequence[str],
    limits: Limits,
    sandbox: str,
    jobs: int,
    scheduler: str = "",
) -> Iterator[Outcome]:
    """The outcome of every student's submission once, as they come; with one job in the order of the students.

    ``scheduler`` is the address of a Dask cluster that works in place of this machine's processors. Where a worker is
    killed, what it had is tried again; what kills its worker ``MAX_ATTEMPTS`` times is told as a failure.
    """
    if scheduler:
        from coursekit.cluster import client as cluster

        return cluster.examine_all(course, assignment, students, limits, sandbox, scheduler, MAX_ATTEMPTS)
    if jobs == 1:
        return _in_this_process(course, assignment, students, limits, sandbox)
    return _in_processes(lambda student: (course, assignment, student, limits, sandbox), students, jobs)


def _in_this_process(
    course: Course, assignment: str, students: Sequence[str], limits: Limits, sandbox: str
) -> Iterator[Outcome]:
    marker = marking.shared(course, assignment, limits, sandbox)
    yield from (outcomes.examine(course, assignment, student, marker) for student in students)


def _in_processes(work: Callable[[str], tuple[Any, ...]], students: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """By processes of this machine. Where one is killed, another takes its place, and what it was at is tried again.

    Each has a line of its own: of one that is killed as it answers, half an answer is left in that line and in no
    other's. (The one pipe that all workers of concurrent.futures write into is then blocked, and the grader with it.)
    """
    waiting, attempts, unused = deque(students), Counter[str](), 0
    staff: list[_Worker] = []
    over = False
    try:
        while waiting or any(one.given for one in staff):
            while len(staff) < jobs and sum(not one.given for one in staff) < len(waiting):
                staff.append(_Worker())
            _share_out(work, waiting, staff)
            lines = connection.wait([one.line for one in staff])
            for one in [one for one in staff if one.line in lines]:
                answer = one.hear()
                if isinstance(answer, Outcome):
                    one.given.pop(0)
                    yield answer
                elif isinstance(answer, BaseException):
                    raise answer
                elif not one.alive:
                    staff.remove(one)
                    one.end()
                    unused = 0 if one.ready else unused + 1
                    waiting.extendleft(reversed(one.given[1:]))
                    for student in one.given[:1]:
                        attempts[student] += 1
                        if attempts[student] < MAX_ATTEMPTS:
                            waiting.append(student)
                        else:
                            yield Outcome(
                                student, failure=f"its worker was killed {MAX_ATTEMPTS} times; grade it again"
                            )
            if unused == MAX_UNUSED:
                yield from (Outcome(student, failure="no worker lives; grade it again") for student in waiting)
                waiting.clear()
        over = True
    finally:
        for one in staff:
            one.line.close()  # each ends by itself, all of them at once
        for one in staff:
            one.end(gently=over)


def _share_out(work: Callable[[str], tuple[Any, ...]], waiting: deque[str], staff: "list[_Worker]") -> None:
    """Nobody who is ready has nothing to do, as long as somebody waits; then everybody has the next one, too."""
    for many in range(1, AHEAD + 1):
        for one in staff:
            if waiting and one.ready and len(one.given) < many and one.give(work(waiting[0])):
                one.given.append(waiting.popleft())


class _Worker:
    """A process and the line to it. ``given``: whom it has to examine, the first of them now."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        with theirs:
            self._process = context.Process(target=_work, args=(theirs,))
            self._process.start()
        self.given: list[str] = []
        self.ready, self.alive = False, True

    def give(self, task: tuple[Any, ...]) -> bool:
        """Whether it could be told; if not, ``hear`` will tell that it has ended."""
        try:
            self.line.send(task)
        except OSError:
            return False
        return True

    def hear(self) -> Outcome | BaseException | None:
        """Its answer, or what kept it from any; None where it has only become ``ready``, or is no longer ``alive``."""
        try:
            answer = self.line.recv()
        except (EOFError, OSError):
            self.alive = False
            return None
        self.ready = True
        return answer if isinstance(answer, Outcome | BaseException) else None

    def end(self, gently: bool = False) -> None:
        """The process is gone, with its sandbox."""
        self.line.close()
        if gently:
            self._process.join(END_S)
        self._process.kill()
        self._process.join()
        self._process.close()


def _work(line: "connection.Connection") -> None:
    """What a worker does, until the other end of its line is closed."""
    _begin()
    line.send(None)  # ready
    while True:
        try:
            task = line.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Outcome | BaseException = _examine(*task)
        except Exception as error:  # the grader's to tell: there is no sandbox, for instance
            answer = error
        line.send(answer)


def _begin() -> None:
    """Ctrl-C is for the grader, which tells its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent()


def follow_parent() -> None:
    """This process of a pool does not outlive the one that started it, however that ends."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, name="follow the parent", daemon=True).start()


def _examine(course: Course, assignment: str, student: str, limits: Limits, sandbox: str) -> Outcome:
    return outcomes.examine(course, assignment, student, marking.shared(course, assignment, limits, sandbox))

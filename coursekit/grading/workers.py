"""Workers: processes that examine submissions side by side, each with a sandbox of its own; here or on a cluster."""

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from typing import Any

from coursekit.grading import outcomes
from coursekit.grading.options import GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.marking import marker as marking
from coursekit.model.course import Course

MAX_FAILED_STARTS = 20  # workers in a row that are killed before they have begun: then none will ever do anything
JOIN_TIMEOUT_S = 10.0  # for a worker to end by itself
MAX_ATTEMPTS = 3  # in which a submission's worker may be killed, before it is told as a failure
MAX_ASSIGNED = 2  # submissions assigned to a worker: enough that it never waits


def examine_all(course: Course, assignment: str, students: Sequence[str], options: GradingOptions) -> Iterator[Outcome]:
    """The outcome of every student's submission once, as they come; with one job in the order of the students.

    Where a worker is killed, what it had is tried again; what kills its worker ``MAX_ATTEMPTS`` times is a failure.
    """
    if options.scheduler:
        from coursekit.grading.cluster import client as cluster

        return cluster.examine_all(course, assignment, students, options, MAX_ATTEMPTS)
    if options.jobs == 1:
        return _in_this_process(course, assignment, students, options)
    return _in_processes(lambda student: (course, assignment, student, options), students, options.jobs)


def _in_this_process(
    course: Course, assignment: str, students: Sequence[str], options: GradingOptions
) -> Iterator[Outcome]:
    marker = marking.shared(course, assignment, options.limits, options.sandbox)
    yield from (outcomes.examine(course, assignment, student, marker) for student in students)


def _in_processes(work: Callable[[str], tuple[Any, ...]], students: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """By processes of this computer. Where one is killed, another takes its place and tries its submission again.

    Each has a connection of its own: if it is killed as it answers, half an answer is left in that connection and in
    no other. (The one pipe that all workers of concurrent.futures write into would block, and the grader with it.)
    """
    queued, attempts, failed_starts = deque(students), Counter[str](), 0
    pool: list[_Worker] = []
    done = False
    try:
        while queued or any(worker.assigned for worker in pool):
            _start_workers(pool, len(queued), jobs)
            _assign(work, queued, pool)
            for worker in _wait_for_answers(pool):
                answer = worker.receive()
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    worker.assigned.pop(0)
                    yield answer
                elif not worker.alive:
                    pool.remove(worker)
                    worker.end()
                    failed_starts = 0 if worker.ready else failed_starts + 1
                    yield from _queue_again(worker.assigned, queued, attempts)
            if failed_starts >= MAX_FAILED_STARTS:
                yield from (Outcome(student, failure="no worker lives; grade it again") for student in queued)
                queued.clear()
        done = True
    finally:
        _end_all(pool, wait=done)


def _start_workers(pool: "list[_Worker]", queued: int, jobs: int) -> None:
    """As many as are needed: no more than ``jobs`` altogether, and no more idle ones than submissions are queued."""
    while len(pool) < jobs and sum(not worker.assigned for worker in pool) < queued:
        pool.append(_Worker())


def _assign(work: Callable[[str], tuple[Any, ...]], queued: deque[str], pool: "list[_Worker]") -> None:
    """Keep every ready worker busy while submissions are queued; only then give each its next one ahead."""
    for most in range(1, MAX_ASSIGNED + 1):
        for worker in pool:
            if queued and worker.ready and len(worker.assigned) < most and worker.send(work(queued[0])):
                worker.assigned.append(queued.popleft())


def _wait_for_answers(pool: "list[_Worker]") -> "list[_Worker]":
    """Wait until a worker has answered, has become ready or has ended; all of which that is true now."""
    connections = connection.wait([worker.pipe for worker in pool])
    return [worker for worker in pool if worker.pipe in connections]


def _queue_again(assigned: Sequence[str], queued: deque[str], attempts: Counter[str]) -> Iterator[Outcome]:
    """Queue what a killed worker had: what it had not begun first of all, what it was at last of all.

    Yields the failure of a submission whose worker was killed too often.
    """
    queued.extendleft(reversed(assigned[1:]))
    for student in assigned[:1]:
        attempts[student] += 1
        if attempts[student] < MAX_ATTEMPTS:
            queued.append(student)
        else:
            yield Outcome(student, failure=f"its worker was killed {MAX_ATTEMPTS} times; grade it again")


def _end_all(pool: "list[_Worker]", wait: bool) -> None:
    for worker in pool:
        worker.pipe.close()  # each ends by itself, all of them at once
    for worker in pool:
        worker.end(wait)


class _Worker:
    """A process and the connection to it. ``assigned``: the students it has to examine, the first of them now."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, child_end = context.Pipe()
        with child_end:
            self._process = context.Process(target=_work, args=(child_end,))
            self._process.start()
        self.assigned: list[str] = []
        self.ready, self.alive = False, True

    def send(self, task: tuple[Any, ...]) -> bool:
        """Whether it could be told; if not, ``receive`` will tell that it has ended."""
        try:
            self.pipe.send(task)
        except OSError:
            return False
        return True

    def receive(self) -> Outcome | BaseException | None:
        """Its answer, or what kept it from any; None where it has only become ``ready``, or is no longer ``alive``."""
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            return None
        self.ready = True
        return answer if isinstance(answer, Outcome | BaseException) else None

    def end(self, wait: bool = False) -> None:
        """The process is gone, with its sandbox."""
        self.pipe.close()
        if wait:
            self._process.join(JOIN_TIMEOUT_S)
        self._process.kill()
        self._process.join()
        self._process.close()


def _work(pipe: "connection.Connection") -> None:
    """What a worker does, until the other end of its pipe is closed."""
    _set_up_process()
    pipe.send(None)  # ready
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Outcome | BaseException = _examine(*task)
        except Exception as error:  # the grader's to tell: there is no sandbox, for instance
            answer = error
        pipe.send(answer)


def _set_up_process() -> None:
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


def _examine(course: Course, assignment: str, student: str, options: GradingOptions) -> Outcome:
    marker = marking.shared(course, assignment, options.limits, options.sandbox)
    return outcomes.examine(course, assignment, student, marker)

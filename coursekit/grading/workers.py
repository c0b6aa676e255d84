"""Workers: processes that grade submissions in parallel, each with its own sandbox; on this computer or a cluster."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from types import ModuleType
from typing import Any

from coursekit.grading import outcomes
from coursekit.grading.options import GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.marking import marker as marking
from coursekit.model.course import Course

MAX_FAILED_STARTS = 20  # workers in a row that die before they are ready: then give up
JOIN_TIMEOUT_S = 10.0  # for a worker to end by itself before it is killed
MAX_ATTEMPTS = 3  # of a submission whose worker is killed, before it is reported as a failure
MAX_ASSIGNED = 2  # submissions per worker: the current one and the next, so that a worker never waits


def examine_all(course: Course, assignment: str, students: Sequence[str], options: GradingOptions) -> Iterator[Outcome]:
    """Yield one outcome per student as they are finished; with one job, in the order of the students.

    The submissions of a killed worker are tried again; one whose worker is killed ``MAX_ATTEMPTS`` times is a failure.
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
    """Grade in processes of this computer. A killed one is replaced, and its submission is tried again.

    Each has a pipe of its own: a worker that is killed while it answers leaves half an answer in this pipe only. (All
    workers of concurrent.futures write into one pipe, which would block the grader.)
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
    """Start workers: at most ``jobs`` in total, and no more idle ones than queued submissions."""
    while len(pool) < jobs and sum(not worker.assigned for worker in pool) < queued:
        pool.append(_Worker())


def _assign(work: Callable[[str], tuple[Any, ...]], queued: deque[str], pool: "list[_Worker]") -> None:
    """Keep every ready worker busy while submissions are queued; only then assign each a second one in advance."""
    for most in range(1, MAX_ASSIGNED + 1):
        for worker in pool:
            if queued and worker.ready and len(worker.assigned) < most and worker.send(work(queued[0])):
                worker.assigned.append(queued.popleft())


def _wait_for_answers(pool: "list[_Worker]") -> "list[_Worker]":
    """Wait until at least one worker has answered, has become ready or has ended; returns those workers."""
    connections = connection.wait([worker.pipe for worker in pool])
    return [worker for worker in pool if worker.pipe in connections]


def _queue_again(assigned: Sequence[str], queued: deque[str], attempts: Counter[str]) -> Iterator[Outcome]:
    """Queue the submissions of a killed worker again: the running one last, those not begun first.

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
        worker.pipe.close()  # this ends an idle worker; close all pipes first, so that they end in parallel
    for worker in pool:
        worker.end(wait)


class _Worker:
    """A process and the pipe to it. ``assigned``: its students, the first is being graded."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, child_end = context.Pipe()
        with child_end, _without_main_module():
            self._process = context.Process(target=_work, args=(child_end,))
            self._process.start()
        self.assigned: list[str] = []
        self.ready, self.alive = False, True

    def send(self, task: tuple[Any, ...]) -> bool:
        """Send a task; False if the process has ended, which ``receive`` then reports."""
        try:
            self.pipe.send(task)
        except OSError:
            return False
        return True

    def receive(self) -> Outcome | BaseException | None:
        """The outcome, or the exception in its place; None if the worker has just become ``ready``, or has ended."""
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            return None
        self.ready = True
        return answer if isinstance(answer, Outcome | BaseException) else None

    def end(self, wait: bool = False) -> None:
        """End the process with its sandbox; ``wait`` gives it time to end by itself."""
        self.pipe.close()
        if wait:
            self._process.join(JOIN_TIMEOUT_S)
        self._process.kill()
        self._process.join()
        self._process.close()


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Start a process within that does not import the program of this one, as multiprocessing lets it.

    Importing nbgrader's commands takes longer than grading a submission; a script without a main guard would run again.
    """
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(pipe: "connection.Connection") -> None:
    """The main loop of a worker process; it ends when the grader closes the pipe."""
    _set_up_process()
    pipe.send(None)  # ready
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Outcome | BaseException = _examine(*task)
        except Exception as error:  # raised again by the grader, such as: there is no sandbox
            answer = error
        pipe.send(answer)


def _set_up_process() -> None:
    """Ignore Ctrl-C, which the grader handles and then ends its workers; follow the grader."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent()


def follow_parent() -> None:
    """End this process when the process that started it ends, also by a kill."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, name="follow the parent", daemon=True).start()


def _examine(course: Course, assignment: str, student: str, options: GradingOptions) -> Outcome:
    marker = marking.shared(course, assignment, options.limits, options.sandbox)
    return outcomes.examine(course, assignment, student, marker)

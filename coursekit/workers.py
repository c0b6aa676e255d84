"""Workers: processes that examine submissions side by side, each with a sandbox of its own; here or on a cluster."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from coursekit import outcomes
from coursekit.course import Course
from coursekit.marking import marker as marking
from coursekit.marking.runner import Limits
from coursekit.outcomes import Outcome

MAX_UNUSED = 20  # workers that are killed before they have begun: then none will ever do anything
MAX_ATTEMPTS = 3  # in which a submission's worker may be killed, before it is told as a failure
AHEAD = 2  # submissions in the queue per worker: enough that none waits, and few finished ones pile up in memory


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
    """By processes of this machine. Where one is killed, what was running is tried again, one alone at a time.

    So one that brings its worker down takes no other with it.
    """
    waiting, attempts = list(students), dict[str, int]()
    while waiting:
        waiting, running = yield from _in_one_pool(work, waiting, jobs, AHEAD)
        attempts |= dict.fromkeys(running, 1)
    waiting, unused = list(attempts), 0
    while waiting:
        waiting, running = yield from _in_one_pool(work, waiting, 1, 1)
        unused += not running
        if unused == MAX_UNUSED:
            yield from (Outcome(student, failure="no worker lives; grade it again") for student in waiting)
            return
        for student in running:
            attempts[student] += 1
            if attempts[student] < MAX_ATTEMPTS:
                waiting.append(student)
            else:
                yield Outcome(student, failure=f"its worker was killed {MAX_ATTEMPTS} times; grade it again")


def _in_one_pool(
    work: Callable[[str], tuple[Any, ...]], students: Sequence[str], jobs: int, ahead: int
) -> Generator[Outcome, None, tuple[list[str], list[str]]]:
    """The outcomes until a worker is killed, which ends the pool; returns who was not begun, and who was running."""
    before = multiprocessing.active_children()
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    waiting = list(students)
    running: dict[Future[Outcome], str] = {}
    try:
        if jobs == 1:  # who is alone with its worker is not to blame for one that is killed as it starts
            pool.submit(_ready).result()
        while waiting or running:
            while waiting and len(running) < jobs * ahead:
                running[pool.submit(_examine, *work(waiting[0]))] = waiting[0]
                waiting.pop(0)
            done = wait(running, return_when=FIRST_COMPLETED).done
            for future in sorted(done, key=lambda future: future.exception() is not None):  # what is there, first
                outcome = future.result()
                del running[future]
                yield outcome
    except BrokenProcessPool:
        return waiting, list(running.values())
    except BaseException:
        for process in multiprocessing.active_children():
            if process not in before:
                process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [], []


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


def _ready() -> None:
    """Done when there is a worker."""


def _examine(course: Course, assignment: str, student: str, limits: Limits, sandbox: str) -> Outcome:
    return outcomes.examine(course, assignment, student, marking.shared(course, assignment, limits, sandbox))

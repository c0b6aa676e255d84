"""Workers: processes that examine submissions side by side, each with a sandbox of its own."""

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any

from coursekit import marking, outcomes
from coursekit.course import Course
from coursekit.outcomes import Outcome
from coursekit.runner import Limits

MAX_ATTEMPTS = 3  # in which a submission's worker may be killed, before it is told as a failure
AHEAD = 2  # submissions in the queue per worker: enough that none waits, and few finished ones pile up in memory


def examine_all(
    course: Course, assignment: str, students: Sequence[str], limits: Limits, sandbox: str, jobs: int
) -> Iterator[Outcome]:
    """The outcome of every student's submission, as they come; with one job in the order of the students.

    Where a worker is killed, what was running is tried again, each by itself, so that one that brings its worker down
    takes no other with it.
    """
    if jobs == 1:
        marker = marking.shared(course, assignment, limits, sandbox)
        yield from (outcomes.examine(course, assignment, student, marker) for student in students)
        return

    def work(student: str) -> tuple[Course, str, str, Limits, str]:
        return course, assignment, student, limits, sandbox

    waiting, suspects = list(students), []  # type: list[str], list[str]
    while waiting:
        waiting, running = yield from _in_one_pool(work, waiting, jobs)
        suspects += running
    for student in suspects:
        for _ in range(MAX_ATTEMPTS - 1):
            _, running = yield from _in_one_pool(work, [student], 1)
            if not running:
                break
        else:
            yield Outcome(student, failure=f"its worker was killed {MAX_ATTEMPTS} times; grade it again")


def _in_one_pool(
    work: Callable[[str], tuple[Any, ...]], students: Sequence[str], jobs: int
) -> Generator[Outcome, None, tuple[list[str], list[str]]]:
    """The outcomes until a worker is killed, which ends the pool; returns who was not begun, and who was running."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin)
    waiting = list(students)
    running: dict[Future[Outcome], str] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs * AHEAD:
                running[pool.submit(_examine, *work(waiting[0]))] = waiting[0]
                waiting.pop(0)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                outcome = future.result()
                del running[future]
                yield outcome
    except BrokenProcessPool:
        return waiting, list(running.values())
    except BaseException:
        for process in active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [], []


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader, which tells its workers


def _examine(course: Course, assignment: str, student: str, limits: Limits, sandbox: str) -> Outcome:
    return outcomes.examine(course, assignment, student, marking.shared(course, assignment, limits, sandbox))

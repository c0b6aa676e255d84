"""A worker process for one course: ``python -m coursekit.grading.cluster.worker_process``.

Each course has its own process in its own folder. The first message is the course, every other one a submission, and
each submission is answered with a message. The process ends with the pipe; then the cleaner deletes the folder.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO

from filelock import FileLock

from coursekit.grading.cluster import payload, wire_format, worker
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.settings import Facts


def main() -> None:
    """Read requests from standard input, write answers to standard output; redirect prints to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = FileLock(worker.LOCK, fallback_to_soft=False)
    lock.acquire()  # until this process ends, also by a kill
    requests = _start_reader(sys.stdin.buffer)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    root = Path.cwd() / "course"
    facts, files = wire_format.decode(requests())
    wire_format.write_files(files, root)
    course = Course(root, Facts(facts["course_id"], tuple(facts["assignments"]), tuple(facts["shared_files"])))
    while True:
        wire_format.send(answers, _answer(course, requests()))


def _answer(course: Course, request: bytes) -> bytes:
    try:
        return payload.examine(course, request)
    except CourseError as error:
        return wire_format.encode({"refused": [error.where, error.found, error.remedy]})
    except Exception as error:  # the boundary of one submission: the others are still graded
        log = "".join(traceback.format_exception(error))
        return wire_format.encode({"failure": f"{type(error).__name__}: {str(error)[:200]}", "log": log})


def _start_reader(pipe: IO[bytes]) -> Callable[[], bytes]:
    """Start reading requests; returns a function that waits for the next one. This process ends with the pipe."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read_requests() -> None:
        try:
            while request := wire_format.receive(pipe):
                requests.put(request)
        finally:
            os._exit(0)  # nobody waits for the current result; the sandbox ends with this process

    threading.Thread(target=read_requests, name="requests", daemon=True).start()
    return requests.get


if __name__ == "__main__":
    main()

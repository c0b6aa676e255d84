"""A process on a worker that grades one course pack: ``python -m coursekit.grading.cluster.worker_process``.

Each pack gets a process of its own, in a folder of its own. Its first parcel is the course, every other one a
submission; each is answered with a parcel. The process ends with the pipe; then the worker's cleaner takes the folder.
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
    """Orders come on the standard input, answers go where the standard output was; prints go to the errors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = FileLock(worker.LOCK, fallback_to_soft=False)
    lock.acquire()  # until this process ends, however it does
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
    """What gives the next request. When there are no more, because the worker has ended, this process ends at once."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read_requests() -> None:
        try:
            while request := wire_format.receive(pipe):
                requests.put(request)
        finally:
            os._exit(0)  # whatever it is grading, nobody waits for it; the sandbox dies with this process

    threading.Thread(target=read_requests, name="requests", daemon=True).start()
    return requests.get


if __name__ == "__main__":
    main()

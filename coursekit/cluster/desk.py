"""A process that grades submissions of one course pack: ``python -m coursekit.cluster.desk FOLDER``, on a worker.

The course's modules are imported by name, so each pack gets a process of its own. Its first parcel is the course, every
other one a submission; each is answered with a parcel. The process ends with the pipe, and its folder with it.
"""

import os
import queue
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO

from coursekit.cluster import parcels
from coursekit.errors import CourseError


def main() -> None:
    """Orders come on the standard input, answers go where the standard output was; prints go to the errors."""
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = _listen(sys.stdin.buffer, folder)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    root = folder / "course"
    parcels.put(parcels.unpacked(orders())[1], root)
    sys.path.insert(0, str(root))
    while True:
        parcels.send(answers, _answer(root, orders()))


def _answer(root: Path, order: bytes) -> bytes:
    from coursekit.cluster import packs  # needs the course's modules
    from coursekit.course import Course

    try:
        return packs.examined(Course(root), order)
    except CourseError as error:
        return parcels.packed({"refused": [error.where, error.found, error.remedy]})
    except Exception as error:  # the boundary of one submission: the others are still graded
        log = "".join(traceback.format_exception(error))
        return parcels.packed({"failure": f"{type(error).__name__}: {str(error)[:200]}", "log": log})


def _listen(pipe: IO[bytes], folder: Path) -> Callable[[], bytes]:
    """What gives the next order. When there are no more, because the worker has ended, this process ends at once."""
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while order := parcels.receive(pipe):
                orders.put(order)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)  # whatever it is grading, nobody waits for it; the sandbox dies with this process

    threading.Thread(target=listen, name="orders", daemon=True).start()
    return orders.get


if __name__ == "__main__":
    main()

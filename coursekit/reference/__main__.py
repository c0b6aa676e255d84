"""A reference process: ``python -m coursekit.reference ROOT ASSIGNMENT``. One request per line, one answer per line.

``REQUESTS`` names the function for each request. Its arguments and its result are transferred as JSON. A function is
imported when it is first requested: most processes only describe an assignment, which needs neither the grader nor
notebooks. Some functions are in the room ``authoring``, which lies above this one.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from coursekit import PACKAGE
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.reference.table import Table

REQUESTS = {
    "describe": "coursekit.reference.describing:describe",
    "ready": "coursekit.reference.outputs:ready",
    "twins": "coursekit.reference.twins:draw",
    "varieties": "coursekit.reference.varieties:varieties",
    "confine": "coursekit.reference.helping:confine",
    "call": "coursekit.reference.helping:call",
    "affordable": "coursekit.reference.helping:affordable",
    "record": "coursekit.reference.outputs:record",
    "misfits": "coursekit.authoring.mutation.answers:misfits",
    "losing": "coursekit.authoring.mutation.answers:losing",
    "wrong": "coursekit.authoring.mutation.answers:first_wrong",
    "mutants": "coursekit.authoring.mutation.trials:count",
    "try mutants": "coursekit.authoring.mutation.trials:results",
    "submissions": "coursekit.reference.submissions:submissions",
    "answered": "coursekit.reference.submissions:answered",
}


def main() -> None:
    """Answer requests until the standard input is closed. What the course's code prints goes to the standard error."""
    requests = _listen()
    sys.dont_write_bytecode = True  # nothing is written into the course
    root, assignment = Path(sys.argv[1]), sys.argv[2]
    answered = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    table: Table | None = None
    while True:
        request = json.loads(requests())
        try:
            table = table or Table.load(root, assignment)
            function = resolve_name(REQUESTS[request.pop("question")])
            answer = {"answer": function(table, **request)}
        except CourseError as error:
            answer = {"refused": [error.where, error.found, error.remedy]}
        except Exception as error:  # an author's code may raise anything
            traceback.print_exc()
            answer = {"refused": [*_place(error, root, assignment), "fix it"]}
        answered.write(json.dumps(answer).encode() + b"\n")
        answered.flush()


def _listen() -> Callable[[], bytes]:
    """A function that returns the next request. When the standard input is closed, this process ends at once."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    asked = os.fdopen(os.dup(0), "rb")
    os.dup2(nothing := os.open(os.devnull, os.O_RDONLY), 0)  # `input()` in the course's code must not read a request
    os.close(nothing)

    def listen() -> None:
        try:
            for line in asked:
                requests.put(line)
        finally:
            os._exit(0)

    threading.Thread(target=listen, name="requests", daemon=True).start()
    return requests.get


def _place(error: BaseException, root: Path, assignment: str) -> tuple[str, str]:
    """The course's file that raised the error, and a message with its line."""
    said = one_line_with_type(error)
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(root):
        return Path(error.filename).relative_to(root).as_posix(), f"it cannot be used ({said})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(root)
              and not Path(frame.filename).is_relative_to(PACKAGE)]  # fmt: skip
    if not frames:
        return f"source/{assignment}", f"its code cannot be used ({said})"
    where = Path(frames[-1].filename).relative_to(root).as_posix()
    return where, f"it cannot be used ({said}, line {frames[-1].lineno})"


if __name__ == "__main__":
    main()

"""``python -m benchmarks.limit ROOT ASSIGNMENT JOBS SIZE``: the cells in the fork server, and nothing else.

No submission is read, no output kept, nothing is probed, judged or recorded: no grader in this sandbox can be faster.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.classes import code_cells
from coursekit.marking.limits import TimeLimits
from coursekit.marking.marker import shared
from coursekit.model.course import Course


def main(root: str, assignment: str, jobs: str, size: str) -> None:
    """A line for every notebook that was run."""
    course = Course(Path(root))
    cells = code_cells(course, assignment)
    with ProcessPoolExecutor(int(jobs), mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(_run, course, assignment, cells) for _ in range(int(size))]:
            done.result()
            print("done", flush=True)


def _run(course: Course, assignment: str, cells: list[str]) -> None:
    sandbox = shared(course, assignment, TimeLimits())._sandbox  # the very one that a grader's worker has
    with sandbox.child() as child:
        for source in cells:
            reply = child.ask({"op": "run", "source": source, "store_history": True}, 120)
            if reply.end != "done" or reply.done.get("status") != "ok":
                raise RuntimeError(f"a cell does not run ({reply.end} {reply.why}): {source}")


if __name__ == "__main__":
    main(*sys.argv[1:])

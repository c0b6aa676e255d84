"""What stands of a grading that takes several runs of one notebook, and whether a run in which something died counts.

Two processes on one machine always have a way to tell each other something. So what is taken from a process depends on
what the processes before it were given. The grader's knowledge enters in stages: none while the cells run, hidden
inputs with the first tries, references with the second tries, earlier exercises first. A stage that is settled stays as
it is: a later run only repeats it, to get to the next one, and what it shows or returns on the way counts for nothing.
"""

import time
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from coursekit.marking.verdicts import Verdict

SAME, MAX_RUNS, NO_MORE_RUNS_S = 3, 6, 300.0


@dataclass(frozen=True)
class Settled:
    """The stages that are settled: the notebook with its outputs, the first tries, and of the last verdicts so many."""

    shown: NotebookNode | None = None
    first: tuple[Verdict, ...] = ()
    final: tuple[Verdict, ...] = ()


class Repeats:
    """Whether a stage is settled by a run, or the notebook has to be run again.

    Nothing tells who has killed a process: the notebook itself, or somebody outside, which must cost nobody a mark.
    So a stage up to which something was killed is repeated in another run, until nothing is, or until the same has come
    out ``SAME`` times, as it does where a notebook kills itself.
    """

    def __init__(self) -> None:
        self._begun, self._runs = time.monotonic(), 0
        self._before: list[tuple[list[str], Any]] = []
        self._its_own: set[str] = set()  # kills that the notebook has done itself

    def next_run(self) -> None:
        """Another run begins."""
        self._runs += 1

    def are_over(self, kills: list[str], result: Any = None) -> bool:
        """Whether a stage is settled by the ``result`` of a run in which these ``kills`` have happened so far."""
        unexplained = [kill for kill in kills if kill not in self._its_own]
        if not unexplained:
            return True
        self._before.append((unexplained, result))
        late = self._runs >= MAX_RUNS or time.monotonic() - self._begun > NO_MORE_RUNS_S
        if late or self._before.count(self._before[-1]) >= SAME:
            self._its_own.update(unexplained)
            return True
        return False

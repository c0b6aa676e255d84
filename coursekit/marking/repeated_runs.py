"""What stands of a grading that takes several runs of one notebook, and whether a run in which something died counts.

Two processes on one machine always have a way to tell each other something. So what is taken from a process depends on
what the processes before it were given. The grader's knowledge enters in stages: none while the cells run, hidden
inputs with the first tries, references with the second tries, earlier exercises first. A stage that is settled stays as
it is: a later run only repeats it, to get to the next one, and what it shows or returns on the way counts for nothing.
"""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from nbformat import NotebookNode

from coursekit.marking.verdicts import Verdict
from coursekit.sandbox.timeouts import SubmissionBudget

SAME_RESULTS, MAX_RUNS = 3, 6
_T = TypeVar("_T")


@dataclass(frozen=True)
class Settled:
    """The stages that are settled: the notebook with its outputs, the first tries, and of the last verdicts so many.

    ``in_doubt``: an exercise may have lost marks because cells were not run. Then nothing is settled.
    """

    shown: NotebookNode | None = None
    first: tuple[Verdict, ...] = ()
    final: tuple[Verdict, ...] = ()
    in_doubt: bool = False


class Repeats:
    """Whether a stage is settled by a run, or the notebook has to be run again.

    Nothing tells who has killed a process: the notebook itself, or somebody outside, which must cost nobody a mark.
    So a stage up to which something was killed is repeated in another run, until nothing is, or until the same has come
    out ``SAME`` times, as it does where a notebook kills itself. Where the submission's time is over, what came out
    earlier stands: the last run was cut short.
    """

    def __init__(self, budget: SubmissionBudget) -> None:
        self._budget, self._runs = budget, 0
        self._earlier: dict[str, list[tuple[list[str], Any, Any]]] = {}  # by stage: kills, what is the same, result
        self._its_own: set[str] = set()  # kills that the notebook has done itself

    def next_run(self) -> None:
        """Another run begins."""
        self._runs += 1

    def settle(self, stage: str, kills: list[str], result: _T, same: Any = None) -> _T | None:
        """What settles a stage, after a run in which these ``kills`` have happened so far; None: run it again.

        Two results are the same where ``same`` is.
        """
        earlier = self._earlier.setdefault(stage, [])
        if self._budget.used_up and earlier:
            return cast(_T, earlier[-1][2])
        unexplained = [kill for kill in kills if kill not in self._its_own]
        if not unexplained:
            return result
        earlier.append((unexplained, same, result))
        same_results = sum(one[:2] == (unexplained, same) for one in earlier)
        if same_results < SAME_RESULTS and self._runs < MAX_RUNS and not self._budget.used_up:
            return None
        self._its_own.update(unexplained)
        return result

"""Combines several runs of one notebook into one result, and decides whether a run with a killed process counts.

The stages are the outputs, the first calls, and the retries. The result of a settled stage is final: a later run
repeats the stage only to reach the next one, and its outputs and results up to there are ignored. So nothing that
enters a process with the calls, such as hidden inputs, can be shown by a later run.
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
    """The settled stages.

    shown       the notebook with its outputs
    first       the verdicts on the first calls
    final       the verdicts after the retries
    nonces      the nonces of the runs from which these verdicts come
    in_doubt    an exercise may have lost marks because cells were not run; then nothing is settled
    """

    shown: NotebookNode | None = None
    first: tuple[Verdict, ...] | None = None
    final: tuple[Verdict, ...] | None = None
    nonces: tuple[str, ...] = ()
    in_doubt: bool = False


class Repeats:
    """Decides whether a run settles a stage, or the notebook has to be run again.

    A process may have been killed by the notebook itself or from outside, which must not cost a mark, and there is no
    way to find out. So a stage is repeated in another run if anything was killed up to it. It is settled when nothing
    is killed, or when the same result has come out ``SAME_RESULTS`` times, as it does if a notebook kills itself. When
    the submission's time is over, the previous result counts, because the last run was cut short.
    """

    def __init__(self, budget: SubmissionBudget) -> None:
        self._budget, self._runs = budget, 0
        self._earlier: dict[str, list[tuple[list[str], Any, Any]]] = {}  # by stage: (kills, value to compare, result)
        self._its_own: set[str] = set()  # kills that are attributed to the notebook itself

    def next_run(self) -> None:
        """Count one more run."""
        self._runs += 1

    def settle(self, stage: str, kills: list[str], result: _T, same: Any = None) -> _T | None:
        """The final result of a stage, after a run with these ``kills`` so far; None: the notebook has to be run again.

        Two results are the same if their ``same`` is equal.
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

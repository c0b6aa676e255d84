"""What a grading run has to do: which submissions are graded, which are tried first, and which are left alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from coursekit.grading.options import Again
from coursekit.grading.receipts import Standing


@dataclass(frozen=True)
class Agenda:
    """Students, sorted by what happens to their submissions.

    ``unchanged``: up to date; only the late penalty is computed again. ``returned``: left alone completely, and of
    these ``handed_in_again`` have another submission now. ``waiting``: to be graded; of these ``tried`` were graded by
    another version or under other limits, and are recorded only if no mark changes.
    """

    unchanged: tuple[str, ...]
    returned: tuple[str, ...]
    handed_in_again: frozenset[str]
    waiting: tuple[str, ...]
    tried: frozenset[str]


def of(standings: Mapping[str, Standing], returned: Collection[str], again: Again) -> Agenda:
    """The agenda for students with these standings, of whom some have their work back."""
    left = set[str]() if again.returned else standings.keys() & set(returned)
    theirs = {student: standing for student, standing in standings.items() if student not in left}
    unchanged = () if again.force else _with(theirs, Standing.UP_TO_DATE)
    tried = () if again.force or again.accept else _with(theirs, Standing.GRADER)
    return Agenda(
        unchanged,
        tuple(sorted(left)),
        frozenset(student for student in left if standings[student] is Standing.SUBMISSION),
        tuple(student for student in theirs if student not in set(unchanged)),
        frozenset(tried),
    )


def _with(standings: Mapping[str, Standing], wanted: Standing) -> tuple[str, ...]:
    return tuple(sorted(student for student, standing in standings.items() if standing is wanted))

"""Try the answers of the catalogue: which fit their solutions, and which lose marks."""

from typing import Any

from coursekit.authoring.mutation.harness import silence
from coursekit.authoring.mutation.trials import harness
from coursekit.reference.table import Table


def misfits(table: Table) -> list[str]:
    """``answer: why`` for the answers whose change no longer applies to the solution."""
    answers = (*table.mistakes, *table.right_answers)
    return [f"{answer}: {why}" for answer in answers if (why := answer.misfit(table.cells.get(answer.function, "")))]


def losing(table: Table, function: str, most: int | None = None) -> dict[str, Any]:
    """The answers to one exercise that fit: the wrong ones, the right ones, and those that lose marks.

    ``most``: the first so many of each sort.
    """
    cell = table.cells[function]
    wrong, right = (
        [answer for answer in some if answer.function == function and not answer.misfit(cell)][:most]
        for some in (table.mistakes, table.right_answers)
    )
    one, lost = harness(table, function), []
    with silence():
        for answer in (*wrong, *right):
            target = one.function(answer.source(cell))
            if target is None or one.loses(target):
                lost.append(str(answer))
    return {"wrong": [str(answer) for answer in wrong], "right": [str(answer) for answer in right], "losing": lost}


def first_wrong(table: Table) -> dict[str, str]:
    """The solution cell with the first mistake of the catalogue, by exercise."""
    found: dict[str, str] = {}
    for mistake in table.mistakes:
        cell = table.cells.get(mistake.function, "")
        if mistake.function not in found and not mistake.misfit(cell):
            found[mistake.function] = mistake.source(cell)
    return found

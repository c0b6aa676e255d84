"""Try the answers of the catalogue: which fit their solutions, and which lose marks."""

from typing import Any

from coursekit.authoring.mutation.harness import silence
from coursekit.authoring.mutation.trials import harness
from coursekit.reference.catalogue import Answer
from coursekit.reference.table import Table


def misfits(table: Table) -> list[str]:
    """``answer: why`` for the answers whose change no longer applies to the solution."""
    said = ((answer, _misfit(table, answer)) for answer in (*table.mistakes, *table.right_answers))
    return [f"{answer}: {why}" for answer, why in said if why]


def _misfit(table: Table, answer: Answer) -> str:
    """Why the change of an answer does not apply to its solution; empty if it does."""
    try:
        answer.source(table.cells.get(answer.function, ""))
    except ValueError as error:
        return str(error)
    return ""


def losing(table: Table, function: str) -> dict[str, Any]:
    """The answers to one exercise that fit: the wrong ones, the right ones, and those that lose marks."""
    wrong, right = (
        [answer for answer in some if answer.function == function and not _misfit(table, answer)]
        for some in (table.mistakes, table.right_answers)
    )
    one, lost = harness(table, function), []
    with silence():
        for answer in (*wrong, *right):
            target = one.function(answer.source(table.cells[function]))
            if target is None or one.loses(target):
                lost.append(str(answer))
    return {"wrong": [str(answer) for answer in wrong], "right": [str(answer) for answer in right], "losing": lost}


def first_wrong(table: Table) -> dict[str, str]:
    """The solution cell with the first mistake of the catalogue, by exercise."""
    found: dict[str, str] = {}
    for mistake in table.mistakes:
        if mistake.function not in found and not _misfit(table, mistake):
            found[mistake.function] = mistake.source(table.cells[mistake.function])
    return found

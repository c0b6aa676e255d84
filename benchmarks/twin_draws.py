"""``python -m benchmarks.twin_draws ASSIGNMENT``: draws many twins, and tries every right answer on all of them.

The solutions say what is expected, and the right answers of the catalogue are other formulations: loops, ``einsum``,
other orders of rounding. A twin on which one of them fails would cost a student marks for nothing.
"""

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from coursekit.authoring.mutation.harness import silence
from coursekit.marking import function_calls, judge
from coursekit.marking.twins import by_function, of_check
from coursekit.marking.verdicts import Verdict
from coursekit.model.exercise import Exercise, Twin
from coursekit.reference import assignments, twins
from coursekit.reference.table import Table
from coursekit.sandbox.guest import caller, codec

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Tried:
    """How many twins each check had (by function and name), how many right answers were tried on them, and failures."""

    drawn: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Answer:
    name: str
    row: Exercise
    function: Callable[..., Any]
    verdict: Verdict


def try_all(table: Table, nonces: range) -> Tried:
    """Try the right answers of an assignment on the twins of these nonces. ``table`` is importable in this process."""
    tried = Tried()
    with silence(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assignment = assignments.load(table.course, table.assignment)
        answers = list(_answers(table, assignment))
        for nonce in nonces:
            drawn = by_function(twins.draw(table, str(nonce)))
            for row in assignment.exercises:
                for check in row.checks:
                    tried.drawn[row.function, check.name] += len(of_check(check, drawn[row.function]))
            for answer in answers:
                of_answer = drawn[answer.row.function]
                tried.calls += len(of_answer)
                wrong = judge.contradicted(answer.row, answer.verdict, _message(answer, of_answer), of_answer)
                tried.failures += [f"{answer.name}: nonce {nonce}, {twin.name} of {twin.of!r}" for twin in wrong]
    return tried


def _answers(table: Table, assignment: assignments.Assignment) -> Iterator[_Answer]:
    """The right answers as functions, among otherwise right ones. Raises RuntimeError if one has not full marks."""
    for answer in table.right_answers:
        names = dict(table.solution_namespace)
        exec(compile(answer.source(table.cells[answer.function]), f"<{answer}>", "exec"), names)
        row = assignment.exercise(answer.function)
        verdict = judge.judge(assignment, row, function_calls.observe(row, names[answer.function]))
        if not verdict.full:
            raise RuntimeError(f"{answer} has not full marks without twins")
        yield _Answer(str(answer), row, names[answer.function], verdict)


def _message(answer: _Answer, drawn: tuple[Twin, ...]) -> dict[str, Any]:
    cases = ((twin.name, tuple(codec.decode(one, codec.imported) for one in twin.arguments)) for twin in drawn)
    return caller.observe(answer.function, answer.row.outputs, answer.row.inputs, cases)


def main(
    assignment: Annotated[str, typer.Argument(help="The assignment.")],
    draws: Annotated[int, typer.Option(min=1, help="Runs to draw twins for: each gives a check one or more.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first nonce: nonces are whole numbers.")] = 0,
) -> None:
    """Draw twins, and try every right answer of the catalogue on them. The exit code is 1 if one fails."""
    begun = time.perf_counter()
    table = Table.load(ROOT, assignment)
    tried = try_all(table, range(first, first + draws))
    fewest = min((many for many in tried.drawn.values() if many), default=0)
    print(
        f"{assignment}: nonces {first} to {first + draws - 1}, {sum(map(bool, tried.drawn.values()))} checks with "
        f"{fewest} or more twins each; {len(table.right_answers)} right answers, {tried.calls} calls, "
        f"{len(tried.failures)} failures; {time.perf_counter() - begun:.0f} s"
    )
    for failure in tried.failures[:50]:
        print(failure)
    sys.exit(bool(tried.failures))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()

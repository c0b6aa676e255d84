"""Try the mutants of the solutions: requests to a reference process, which keeps a harness per exercise."""

from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.authoring.mutation.harness import CALLS, MutationHarness, silence
from coursekit.reference.assignments import Assignment, from_data
from coursekit.reference.describing import describe
from coursekit.reference.table import Table

MEMORY_MIB = 2048  # on top of what the process has already
_assignments: dict[tuple[Path, str], Assignment] = {}  # by course and name
_harnesses: dict[tuple[Path, str], MutationHarness] = {}  # by course and key of the exercise


def count(table: Table, function: str) -> dict[str, Any]:
    """The number of mutants of a solution, and its listed equivalent mutants with the reasons."""
    return {"count": len(harness(table, function).mutants), "equivalent": dict(table.equivalent.get(function, {}))}


def results(table: Table, function: str, which: list[int], calls: int = CALLS) -> list[dict[str, Any]]:
    """The results of the mutants with these numbers."""
    _limit_memory()
    one = harness(table, function)
    with silence():
        return [asdict(one.result(one.mutants[number], calls)) for number in which]


def harness(table: Table, function: str) -> MutationHarness:
    """The harness of an exercise; cached, because it runs the solution on many calls."""
    key = table.course.root, f"{table.assignment}/{function}"
    if key not in _harnesses:
        assignment = _described(table)
        whole = replace(table.cases[function], cases=table.all_cases(function))
        _harnesses[key] = MutationHarness(assignment, whole, table.cells[function], table.solution_namespace)
    return _harnesses[key]


def _described(table: Table) -> Assignment:
    """The assignment of the table as data; cached, because describing it makes the inputs of all its cases."""
    course, name = table.course, table.assignment
    if (course.root, name) not in _assignments:
        described = describe(table)
        _assignments[course.root, name] = from_data(name, course.folder(name), course.hidden(name), described)
    return _assignments[course.root, name]


@cache
def _limit_memory() -> None:
    """Limit the memory of this process, so that a mutant that fills it fails and does not disturb the computer."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used_kib = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() // 1024
        most = (used_kib // 1024 + MEMORY_MIB) << 20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

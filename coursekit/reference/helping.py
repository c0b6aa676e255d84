"""Answers calls of right functions, with arguments from a student's process, which are untrusted data.

Only data is decoded, within bounds; a value that cannot be sent back has no answer. What these calls could consume is
bounded by ``confine`` and by the time that the engine waits.
"""

import resource
import warnings
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any

from coursekit.reference import outputs
from coursekit.reference.table import Table
from coursekit.sandbox.guest import codec
from coursekit.sandbox.guest import helpers as guest_helpers
from selfcheck.exercises import Case, Exercise

MAX_MEMORY_BYTES = 4 << 30  # address space: NumPy and its libraries reserve most of one GiB
MAX_MESSAGE = 300


class NoData(Exception):
    """An argument that is no data."""


def confine(table: Table) -> list[str]:
    """Bound this process's memory, and load the solutions. Returns the names of the functions that it answers for."""
    namespace = table.solution_namespace
    with suppress(OSError, ValueError):  # a smaller limit may be there already
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    return [function for function in table.cases if function in namespace]


def call(table: Table, function: str, args: Any, kwargs: Any, states: Any) -> dict[str, Any]:
    """The result of a right function, or the exception that it raised, and the states of the random generators.

    If there is neither, ``why`` says why.
    """
    try:
        given = [_data(arg) for arg in args]
        named = {name: _data(arg) for name, arg in kwargs["dict"].items()}
        guest_helpers.set_states(states)
    except Exception as error:  # any bytes may come from a student's process
        return {"why": f"what it was given cannot be used ({type(error).__name__})"}
    before = guest_helpers.states()
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = table.solution_namespace[function](*given, **named)
    except MemoryError:
        return {"why": "it needs too much memory"}
    except Exception as error:
        return {"raised": [type(error).__name__, str(error)[:MAX_MESSAGE]], "states": _changed(before)}
    try:
        return {"result": codec.encode(result), "states": _changed(before)}
    except (TypeError, RecursionError, MemoryError):
        return {"why": f"{function} returns a value that cannot be sent"}


def _changed(before: dict[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in guest_helpers.states().items() if before[name] != state}


def _data(value: Any) -> Any:
    return codec.decode(value, _no_function)


def _no_function(module: str, name: str) -> Any:
    raise NoData(f"{module}.{name}")


class _TooMany(BaseException):
    """A case calls helpers too often for a retry."""


def affordable(table: Table, function: str, names: list[str], limit: int) -> list[str]:
    """The recorded cases in which the solution calls these helpers at most ``limit`` times."""
    return [
        case.name
        for case in table.all_cases(function)
        if _calls_at_most(table, table.cases[function], case, names, limit)
    ]


def _calls_at_most(table: Table, exercise: Exercise, case: Case, names: list[str], limit: int) -> bool:
    """Only calls by the function itself count: one helper may call another."""
    namespace = table.solution_namespace
    calls = inside = 0

    def counted(helper: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls, inside
            calls += not inside
            if calls > limit:
                raise _TooMany
            inside += 1
            try:
                return helper(*args, **kwargs)
            finally:
                inside -= 1

        return call

    helpers = {name: namespace[name] for name in names if name in namespace}
    namespace |= {name: counted(helper) for name, helper in helpers.items()}
    try:
        with suppress(Exception):  # a case may have to raise
            outputs.of_case(table, exercise, case)
    except _TooMany:
        return False
    finally:
        namespace |= helpers
    return True

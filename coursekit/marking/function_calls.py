"""Function calls as requests to the sandbox: the recorded cases of an exercise, and twins."""

from collections.abc import Iterable
from typing import Any

from coursekit.model.exercise import Case, Exercise, Twin
from coursekit.sandbox.guest import caller, codec


def observe(exercise: Exercise, target: Any, call_timeout_s: float | None = None) -> dict[str, Any]:
    """Call ``target`` with all cases in this process, as the sandbox does. For the course's functions only."""
    cases = ((case.name, tuple(codec.decode(one, codec.imported) for one in case.arguments)) for case in exercise.cases)
    return caller.observe(target, exercise.outputs, exercise.inputs, cases, call_timeout_s)


def request(exercise: Exercise, call_timeout_s: float) -> dict[str, Any]:
    """The request that calls an exercise's function: names and arguments, and no expected outputs."""
    return {
        "op": "probe",
        "function": exercise.function,
        "outputs": exercise.outputs,
        "inputs": exercise.inputs,
        "cases": calls_of(exercise.cases),
        "call_timeout_s": call_timeout_s,
    }


def calls_of(cases: Iterable[Case | Twin]) -> list[dict[str, Any]]:
    """The part of a request that says with which arguments to call the function."""
    return [{"case": case.name, "args": list(case.arguments)} for case in cases]

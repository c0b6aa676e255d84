"""Function calls as requests to the sandbox: of the recorded cases, of twins, and of follow-through retries."""

from collections.abc import Iterable, Mapping
from typing import Any

from coursekit.model.exercise import Exercise, Twin
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
        "cases": [{"case": case.name, "args": list(case.arguments)} for case in exercise.cases],
        "call_timeout_s": call_timeout_s,
    }


def with_twins(request: Mapping[str, Any], twins: Iterable[Twin], only: bool = False) -> dict[str, Any]:
    """The request with calls of these twins after those of the recorded cases, or of them ``only``."""
    cases = [{"case": twin.name, "args": list(twin.arguments)} for twin in twins]
    return {**request, "cases": cases if only else [*request["cases"], *cases]}

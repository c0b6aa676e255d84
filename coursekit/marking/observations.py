"""Parses the results of function calls from a sandbox's reply, which is untrusted data.

A malformed value counts as not returned. Nothing in a reply is executed; its size was limited when it was received.
"""

import base64
import binascii
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursekit.marking.redaction import Redactor
from coursekit.model.exercise import Case, Twin
from selfcheck.exception_advice import meaning
from selfcheck.returned_values import NotNumbers

MAX_TEXT = 300
MAX_LEAVES = 400
MAX_AXES, MAX_AXIS, MAX_AXIS_OF_NOTHING = 6, 1 << 20, 1000
SOMETHING = "a value of another type"


@dataclass(frozen=True)
class Observation:
    """The result of one call.

    outputs    arrays or ``NotNumbers`` by path; None if there are none
    inputs     the arguments after the call, in the same form
    problem    why there are no outputs
    raised     the class names of the exception, the most specific first
    message    what may be quoted of its message
    line       the line of the function at which it was raised, if it may be quoted
    advice     what the exception means
    own        whether the function returned one of its arguments itself; None if unknown
    untried    the call of a helper was not answered, so that nothing is known
    """

    outputs: dict[str, Any] | None
    inputs: dict[str, Any] | None = None
    problem: str = ""
    raised: tuple[str, ...] = ()
    message: str = ""
    line: str = ""
    advice: str = ""
    own: bool | None = None
    untried: bool = False


def parse(
    cases: Iterable[Case | Twin], message: dict[str, Any], redactor: Redactor | None = None
) -> dict[str, Observation]:
    """One observation for each of these cases, by name; other entries of the message are ignored.

    ``redactor`` limits what is quoted. Without one everything is quoted: for the course's functions, and for twins,
    which are never quoted.
    """
    raw = message.get("observations")
    items = [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
    by_case = {item["case"]: item for item in items if isinstance(item.get("case"), str)}
    hung = any("timeout_s" in item for item in by_case.values())
    missing = Observation(
        None, problem="not tried, because an earlier call took too long." if hung else "no result arrived."
    )
    return {
        case.name: _observation(by_case[case.name], redactor) if case.name in by_case else missing for case in cases
    }


def _observation(item: dict[str, Any], redactor: Redactor | None) -> Observation:
    if "timeout_s" in item:
        limit = f"{_number(item['timeout_s']):g} s"
        return Observation(
            None, problem=f"a call took longer than {limit} and was stopped: is there a loop without an end?"
        )
    if "untried" in item:
        return Observation(None, problem="no result arrived.", untried=True)
    error = item.get("error")
    if isinstance(error, dict):
        return _exception(error, redactor)
    outputs = item.get("outputs")
    if not isinstance(outputs, dict):
        return Observation(None, problem="no result arrived.")
    inputs, own = item.get("inputs"), item.get("own")
    return Observation(
        _leaves(outputs, redactor),
        _leaves(inputs, redactor) if isinstance(inputs, dict) else None,
        own=own if isinstance(own, bool) else None,
    )


def _leaves(flat: dict[str, Any], redactor: Redactor | None) -> dict[str, Any]:
    leaves = {}
    for path, leaf in list(flat.items())[:MAX_LEAVES]:
        shown = path[:MAX_TEXT] if redactor is None else redactor.path(path[:MAX_TEXT])
        if shown or not path:
            leaves[shown] = _decode(leaf, redactor)
    return leaves


def _names(error: dict[str, Any]) -> tuple[str, ...]:
    """The class names of an exception, the most specific first."""
    names = error.get("is_a")
    return tuple(str(name)[:MAX_TEXT] for name in names[:MAX_LEAVES]) if isinstance(names, list) else ()


def _exception(error: dict[str, Any], redactor: Redactor | None) -> Observation:
    names = _names(error)
    kind, message, line, inside = (
        str(error.get(key, ""))[:MAX_TEXT].strip() for key in ("type", "message", "line", "inside")
    )
    if redactor is not None:
        known = (redactor.exception(str(name)) for name in (kind, *names))
        kind, message, line = next(filter(None, known), "an exception"), redactor.message(message), redactor.line(line)
        inside = redactor.name(inside)
    if kind == "NotImplementedError" and message.startswith("Exercise "):
        return Observation(None, problem=f"{message} is not written yet.", raised=names, message=message, line=line)
    said = f"Your function stopped with {kind}" + (f": {message}" if message else "")
    said += (f" at `{line}`" if line else "") + (f", inside {inside}." if inside else ".")
    means = "" if inside and "NameError" in names else meaning((kind, *names), message, line)
    return Observation(None, problem=said, raised=names, message=message, line=line, advice=means)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e6 else 0.0


def _decode(leaf: Any, redactor: Redactor | None) -> Any:
    """A numeric array, or ``NotNumbers``: shape and size must agree, and only doubles are read."""
    if not isinstance(leaf, dict):
        return NotNumbers("not readable")
    shape, data = leaf.get("shape"), leaf.get("data")
    if not isinstance(shape, list) or not isinstance(data, str):
        kind = str(leaf.get("kind", "not readable"))[:MAX_TEXT]
        return NotNumbers(kind if redactor is None else redactor.description(kind) or SOMETHING)
    if len(shape) > MAX_AXES or not all(type(n) is int and 0 <= n < MAX_AXIS for n in shape):
        return NotNumbers("an array of an impossible shape")
    if 0 in shape and max(shape) > MAX_AXIS_OF_NOTHING:  # an array without entries could smuggle data in its lengths
        return NotNumbers("an array without any entry")
    try:
        raw = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return NotNumbers("not readable")
    if len(raw) != 8 * math.prod(shape):
        return NotNumbers("an array of an impossible size")
    return np.frombuffer(raw, dtype="<f8").reshape(shape)

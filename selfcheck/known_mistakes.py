"""Known mistakes, recognised by their outputs, changed inputs or exceptions; each has a hint.

``recordings`` stores them for the public tests; the grader has another file with more cases. The files contain
outcomes, no code. A mistake is recognised if every observed outcome agrees with it, and at least one of them is
specific: the same wrong numbers, or the same exception at the same variable. A hint for another mistake would be worse
than none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfcheck.returned_values import NotNumbers
from selfcheck.tolerance import ATOL

OUTPUTS, INPUTS, EXCEPTION, VARIES = "outputs", "inputs", "exception", "varies"
Leaves = Mapping[str, Any]  # arrays and NotNumbers by path, from ``returned_values.flatten``


@dataclass(frozen=True)
class CallOutcome:
    """The outcome of one call: flat outputs and the names of the changed inputs, or an exception.

    ``changed`` and ``own`` (the function returned one of its arguments) are None if unknown. ``varies``: the next call
    gives other numbers. ``sign`` is the message of the exception in a form that is the same in all versions of Python
    and NumPy, ``at`` the variables that its line assigns.
    """

    outputs: Leaves | None = None
    changed: tuple[str, ...] | None = ()
    own: bool | None = False
    varies: bool = False
    raised: str = ""
    sign: str = ""
    at: str = ""


@dataclass(frozen=True)
class Recorded(CallOutcome):
    """The outcome of a mistake in one case. ``tells``: how it differs from the right answer there, "" if it does not.

    Outputs that differ come first. ``absent``: expected paths that the outputs lack.
    """

    tells: str = ""
    absent: tuple[str, ...] = ()

    def agrees(self, seen: CallOutcome, rtol: float) -> bool:
        """Whether this outcome of a call is compatible with the mistake."""
        if self.raised and not self.tells:
            return bool(seen.raised)  # here an exception is right, of any type
        if self.raised:
            same_words = not self.sign or self.sign == seen.sign
            return self.raised == seen.raised and same_words and (not self.at or self.at == seen.at)
        if self.outputs is None or seen.outputs is None or any(path in seen.outputs for path in self.absent):
            return False
        if not self.outputs and seen.outputs:  # an empty dict
            return False
        if self.changed and seen.changed is not None and not set(self.changed) <= set(seen.changed):
            return False
        if self.tells == INPUTS and seen.own is not None and self.own != seen.own:
            return False
        if self.tells == VARIES:
            shapes = ((leaf, seen.outputs.get(path)) for path, leaf in self.outputs.items())
            return seen.varies and all(
                getattr(one, "shape", None) == getattr(other, "shape", None) for one, other in shapes
            )
        return all(same(leaf, seen.outputs.get(path), rtol) for path, leaf in self.outputs.items())


@dataclass(frozen=True)
class Known:
    """One mistake: its hint, and its outcomes by name of the case; those that differ from the right answer first."""

    hint: str
    cases: Mapping[str, Recorded]
    name: str = ""  # only in the grader's file

    def agrees(self, seen: Mapping[str, CallOutcome], rtol: float) -> bool:
        """Whether no observed outcome contradicts this mistake."""
        return all(recorded.agrees(seen[case], rtol) for case, recorded in self.cases.items() if case in seen)

    def fits(self, seen: Mapping[str, CallOutcome], rtol: float) -> bool:
        """Whether no observed outcome contradicts this mistake, and at least one is evidence for it."""
        return self.agrees(seen, rtol) and any(
            self._is_evidence(recorded) for case, recorded in self.cases.items() if case in seen
        )

    def _is_evidence(self, recorded: Recorded) -> bool:
        """Whether an outcome is evidence; an exception is if its message is specific, or other cases have outputs."""
        if recorded.tells != EXCEPTION:
            return bool(recorded.tells)
        return bool(recorded.sign) or any(other.outputs is not None for other in self.cases.values())


# --- exceptions -------------------------------------------------------------------------------------------

# Parts of messages that are the same in all versions; the named groups become part of the sign.
_SIGNS = (
    ("product", re.compile(r"matmul: .*\(size (?P<right>\d+) is different from (?P<left>\d+)\)")),
    ("product", re.compile(r"not aligned: (?P<left>\d+) \(dim \d+\) != (?P<right>\d+) \(dim \d+\)")),
    ("into", re.compile(r"non-broadcastable output operand with shape (?P<a>\([\d, ]*\))")),
    ("broadcast", re.compile(r"could not be broadcast together with (?:remapped )?shapes (?P<a>\(.*\))")),
    ("broadcast", re.compile(r"could not broadcast input array from shape (?P<a>\(.*\)) into shape (?P<b>\(.*\))")),
    ("truth", re.compile(r"truth value of an array")),
    ("not a data type", re.compile(r"as a data type")),
    ("not a whole number", re.compile(r"'(?P<a>tuple|list)' object cannot be interpreted as an integer")),
    ("no power", re.compile(r"ufunc 'bitwise_xor' not supported")),
    ("too many to unpack", re.compile(r"too many values to unpack \(expected (?P<a>\d+)")),
    ("too few to unpack", re.compile(r"not enough values to unpack \(expected (?P<a>\d+), got (?P<b>\d+)")),
    ("arguments", re.compile(r"\(\) (?P<a>missing \d+ required|takes \d+ positional)")),
    ("ragged", re.compile(r"inhomogeneous (?:shape|part)")),
    ("no such sum", re.compile(r"unsupported operand type\(s\) for (?P<a>\S+): '(?P<b>\w+)' and '(?P<c>\w+)'")),
    ("no such attribute", re.compile(r"'(?P<a>\w+)' object has no attribute '(?P<b>\w+)'")),
    ("no place", re.compile(r"index out of range|out of bounds")),
)  # fmt: skip
_ASSIGNED = re.compile(r"\s*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*=(?!=)")
_TEST_VARIABLE = re.compile(r"name '(t_\w+)'")  # the names of variables in test cells


def sign(raised: str, message: str) -> str:
    """The message of an exception in a form independent of versions; "" if it is not specific."""
    if raised == "KeyError":
        return f"key {message}"[:60]
    if raised == "NameError":  # misspellings differ from student to student
        found = _TEST_VARIABLE.search(message)
        return f"name {found[1]}" if found else ""
    for name, pattern in _SIGNS:
        if found := pattern.search(message):
            parts = sorted(found.groupdict().items())
            return " ".join([name, *(part.replace(" ", "").replace(",)", ")") for _, part in parts)])[:120]
    return ""


def assigned(line: str) -> str:
    """The variables that a line of code assigns, such as ``dA_prev, dW``."""
    found = _ASSIGNED.match(line)
    return ", ".join(name.strip() for name in found[1].split(",")) if found else ""


# --- numbers ----------------------------------------------------------------------------------------------


def same(known: Any, seen: Any, rtol: float) -> bool:
    """Whether two leaves are equal within the tolerance, in shape and numbers, nan and infinities included."""
    if not isinstance(known, np.ndarray) or not isinstance(seen, np.ndarray):
        return isinstance(known, NotNumbers) and isinstance(seen, NotNumbers) and known.kind == seen.kind
    if known.shape != seen.shape:
        return False
    with np.errstate(all="ignore"):
        close = np.abs(known - seen) <= ATOL + rtol * np.abs(known)
        if close.all():
            return bool(np.isfinite(known).all())
        return bool((close & np.isfinite(known) | (known == seen) | (np.isnan(known) & np.isnan(seen))).all())


# --- file format: all numbers of an exercise in one array, and an index --------------------------------------


def pack(mistakes: Sequence[Known]) -> tuple[bytes, np.ndarray]:
    """The index as JSON, and the array of numbers to which it refers; equal arrays are stored once."""
    places: dict[bytes, int] = {}
    arrays: list[np.ndarray] = []

    def place(leaf: Any) -> Any:
        if isinstance(leaf, NotNumbers):
            return leaf.kind
        flat = np.ravel(leaf).astype("<f8")
        if flat.tobytes() not in places:
            places[flat.tobytes()] = sum(array.size for array in arrays)
            arrays.append(flat)
        return [places[flat.tobytes()], *np.shape(leaf)]

    index = []
    for mistake in mistakes:
        cases = {}
        for case, one in mistake.cases.items():
            row: dict[str, Any] = {name: getattr(one, name) for name in _STORED_FIELDS if getattr(one, name)}
            if one.outputs is not None:
                row["outputs"] = {path: place(leaf) for path, leaf in one.outputs.items()}
            cases[case] = row
        index.append({"hint": mistake.hint, "cases": cases} | ({"name": mistake.name} if mistake.name else {}))
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    return text.encode(), np.concatenate(arrays) if arrays else np.zeros(0)


_STORED_FIELDS = ("raised", "sign", "at", "tells", "changed", "absent", "own")


def unpack(index: bytes, numbers: np.ndarray) -> tuple[Known, ...]:
    """The mistakes that ``pack`` stored."""

    def leaf(place: Any) -> Any:
        if isinstance(place, str):
            return NotNumbers(place)
        start, *shape = place
        return numbers[start : start + int(np.prod(shape, dtype=int))].reshape(shape)

    def recorded(row: dict[str, Any]) -> Recorded:
        texts: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        outputs = row.get("outputs")
        texts["outputs"] = None if outputs is None else {path: leaf(place) for path, place in outputs.items()}
        return Recorded(**texts)

    return tuple(
        Known(row["hint"], {case: recorded(one) for case, one in row["cases"].items()}, row.get("name", ""))
        for row in json.loads(index)
    )

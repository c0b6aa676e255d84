"""Encodes values as JSON and decodes them. Only data is transferred: nothing that is decoded is ever executed.

``encode`` and ``decode`` are for the arguments of a call into the sandbox. ``leaf`` is for results out of it: numbers
are sent as such, and everything else as a description.
"""

import base64
import importlib
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

MAX_ARRAY_BYTES = 1 << 20  # every expected output is below 10 kB
MAX_TEXT = 300


def encode(value: Any) -> Any:
    """An argument as JSON. Raises TypeError for types that generators do not make, also for subclasses."""
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return {**_array(np.asarray(value)), "scalar": True}
    if type(value) is float and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return _array(value)
    if type(value) in (tuple, list):
        return {type(value).__name__: [encode(part) for part in value]}
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {"dict": {key: encode(part) for key, part in value.items()}}
    if callable(value) and imported(*(where := _place(value))) is value:
        return {"function": list(where)}
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent to a sandbox")


def _array(value: np.ndarray) -> dict[str, Any]:
    order: Literal["C", "F"] = "C" if value.flags.c_contiguous else "F"
    data = base64.b64encode(value.tobytes(order)).decode("ascii")
    return {"array": data, "dtype": value.dtype.str, "shape": list(value.shape), "order": order}


def _place(value: Any) -> tuple[str, str]:
    return str(getattr(value, "__module__", "")), str(getattr(value, "__name__", ""))


def imported(module: str, name: str) -> Any:
    """The function with this name in a module of the course; None if there is none."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def decode(value: Any, function: Callable[[str, str], Any]) -> Any:
    """The inverse of ``encode``, with new objects; ``function`` looks up a function by module name and name."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        raw = np.frombuffer(base64.b64decode(value["array"]), dtype=value["dtype"])
        array = raw.reshape(value["shape"], order=value["order"]).copy(value["order"])
        return array[()] if value.get("scalar") else array
    if "float" in value:
        return float(value["float"])
    if "function" in value:
        return function(*value["function"])
    (kind, parts) = next(iter(value.items()))
    if kind == "dict":
        return {key: decode(part, function) for key, part in parts.items()}
    decoded = [decode(part, function) for part in parts]
    return tuple(decoded) if kind == "tuple" else decoded


def leaf(value: Any, describe: Callable[[Any], str]) -> dict[str, Any]:
    """One value of a flattened result: an array as doubles, anything else as a description."""
    if not isinstance(value, np.ndarray):
        return {"kind": describe(value)[:MAX_TEXT]}
    if value.nbytes > MAX_ARRAY_BYTES:
        return {"kind": f"an array of shape {value.shape}"[:MAX_TEXT]}
    data = np.ascontiguousarray(value, dtype="<f8")
    return {"shape": list(value.shape), "data": base64.b64encode(data.tobytes()).decode("ascii")}

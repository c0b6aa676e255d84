"""The recordings of an assignment: the expected outputs of every case, and the outcomes of the known mistakes.

One ``.npz`` file without pickle contains both. For each exercise it has two arrays for the outputs and two for the
mistakes: an index as JSON, and all numbers in one flat array.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from selfcheck.known_mistakes import Known, pack, unpack

Outputs = Mapping[str, np.ndarray]
NAME = "recorded.npz"
_OUTPUTS, _MISTAKES, _NUMBERS = "outputs", "mistakes", "numbers"


def outputs(path: Path, function: str) -> dict[str, dict[str, np.ndarray]]:
    """The expected outputs of an exercise as ``{case: {name: array}}``; new arrays each time.

    Raises FileNotFoundError if the file is missing, and KeyError or ValueError if the exercise is not in it.
    """
    recorded, _ = read(path, function)
    return {case: {name: array.copy() for name, array in named.items()} for case, named in recorded.items()}


def mistakes(path: Path, function: str) -> tuple[Known, ...]:
    """The known mistakes of an exercise; empty if they cannot be read, since a test works without hints.

    Raises as ``outputs`` does.
    """
    return read(path, function)[1]


def functions(path: Path) -> frozenset[str]:
    """The functions of the exercises in a file. Raises OSError or ValueError if it is no recording."""
    with np.load(path, allow_pickle=False) as file:
        return frozenset(name.split("/")[0] for name in file.files)


def read(path: Path, function: str) -> tuple[dict[str, Outputs], tuple[Known, ...]]:
    """The expected outputs and the known mistakes of an exercise; cached for each state of the file, do not change."""
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not in the folder of the notebook")
    state = path.stat()
    return _as_of(path, state.st_mtime_ns, state.st_size, function)


@lru_cache(maxsize=256)
def _as_of(path: Path, modified_ns: int, size: int, function: str) -> tuple[dict[str, Outputs], tuple[Known, ...]]:
    """The contents of the file with this date and size; cached for all calls of a test or a grading."""
    with np.load(path, allow_pickle=False) as file:
        index, numbers = _pair(file, function, _OUTPUTS)
        recorded = _unpacked(json.loads(index), numbers)
        known = _known(file, function)
    return recorded, known


def _known(file: Any, function: str) -> tuple[Known, ...]:
    try:
        return unpack(*_pair(file, function, _MISTAKES))
    except Exception:  # none recorded, or damaged; NumPy, zipfile and zlib raise many types
        return ()


def _pair(file: Any, function: str, what: str) -> tuple[bytes, np.ndarray]:
    return file[f"{function}/{what}"].tobytes(), file[f"{function}/{what}.{_NUMBERS}"]


def _unpacked(index: list[list[Any]], numbers: np.ndarray) -> dict[str, Outputs]:
    found: dict[str, Outputs] = {}
    start = 0
    for case, named in index:
        arrays = {}
        for name, dtype, shape in named:
            end = start + int(np.prod(shape, dtype=int))
            arrays[name] = numbers[start:end].reshape(shape).astype(dtype)
            start = end
        found[case] = arrays
    return found


def packed(
    expected: Mapping[str, Mapping[str, Outputs]], known: Mapping[str, tuple[Known, ...]]
) -> dict[str, np.ndarray]:
    """The arrays to store in the file, by name; ``expected`` by function and case, ``known`` by function."""
    arrays: dict[str, np.ndarray] = {}
    for function, cases in expected.items():
        index = [
            [case, [[name, array.dtype.str, list(array.shape)] for name, array in named.items()]]
            for case, named in cases.items()
        ]
        flat = [np.ravel(array).astype("<f8") for named in cases.values() for array in named.values()]
        numbers = np.concatenate(flat) if flat else np.zeros(0)
        _put(arrays, function, _OUTPUTS, json.dumps(index, separators=(",", ":")).encode(), numbers)
    for function, mistaken in known.items():
        if mistaken:
            _put(arrays, function, _MISTAKES, *pack(mistaken))
    return arrays


def _put(arrays: dict[str, np.ndarray], function: str, what: str, index: bytes, numbers: np.ndarray) -> None:
    arrays[f"{function}/{what}"] = np.frombuffer(index, np.uint8)
    arrays[f"{function}/{what}.{_NUMBERS}"] = numbers

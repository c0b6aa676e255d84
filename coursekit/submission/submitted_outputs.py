"""The submitted outputs of code cells that are not run at grading.

They are untrusted data, reduced to known keys, text and numbers, and bounded in bytes and in number, until
``coursekit.marking.unrun_cells`` makes notebook outputs of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, from_dict

from coursekit.submission import pictures
from coursekit.submission.display_data import MIMES, presentation

KEY = "coursekit_handed_in"  # metadata key in a cell of a loaded submission
MAX_OUTPUT_CHARS = 4 << 20
TOO_LARGE = "[left out by the grader: too large to be kept]"
_MAX_NAME, _MAX_COUNT = 200, 1_000_000


@dataclass
class OutputBudget:
    """What may still be kept of one notebook: characters, outputs, and JSON values that become objects."""

    chars: int = 12 << 20
    outputs: int = 2_000
    values: int = 300_000

    def may_hold(self, data: bytes | None) -> bool:
        """Whether an output with this JSON may be built; if so, charge it. ``None``: the JSON is too large."""
        if data is None or len(data) > self.chars:
            return False
        values = sum(map(data.count, (b",", b"[", b"{")))
        if values > self.values:
            return False
        self.values -= values
        self.chars -= len(data)
        return True


def is_wanted(names: Iterable[str | None], always_run: frozenset[str] | None) -> bool:
    """Whether the outputs of a cell with these names are kept; ``always_run`` names the cells that run (None: all)."""
    return always_run is not None and always_run.isdisjoint(name for name in names if name)


def store(cell: NotebookNode, outputs: Any, budget: OutputBudget) -> None:
    """Store the outputs in the cell's metadata as far as the budget allows; a text output says if some are left out."""
    if not isinstance(outputs, list):
        return
    kept: list[dict[str, Any]] = []
    whole = len(outputs) <= pictures.MAX_OUTPUTS
    for output in outputs[: pictures.MAX_OUTPUTS]:
        plain = _plain(output) if isinstance(output, dict) else {}
        size = _chars(plain)
        if plain and size <= min(MAX_OUTPUT_CHARS, budget.chars) and budget.outputs > 0:
            budget.chars -= size
            budget.outputs -= 1
            kept.append(plain)
        else:
            whole = False
    if not whole:
        kept.append({"output_type": "display_data", "data": {"text/plain": TOO_LARGE}, "metadata": {}})
    if kept:
        cell.metadata[KEY] = [from_dict(one) for one in kept]


def stored(cell: NotebookNode) -> tuple[Any, ...]:
    """The outputs stored in a cell of a submission."""
    found = cell.get("metadata", {}).get(KEY)
    return tuple(found) if isinstance(found, list) else ()


def _plain(output: dict[str, Any]) -> dict[str, Any]:
    """The known keys of an output of format 4; empty for any other value."""
    match output.get("output_type"):
        case "stream":
            return {"output_type": "stream", "name": _text(output.get("name"))[:_MAX_NAME],
                    "text": _text(output.get("text"))}  # fmt: skip
        case "error":
            lines = output.get("traceback")
            return {
                "output_type": "error",
                "ename": _text(output.get("ename"))[:_MAX_NAME],
                "evalue": _text(output.get("evalue")),
                "traceback": [_text(line) for line in lines] if isinstance(lines, list) else [],
            }
        case "display_data" | "execute_result" as kind:
            found = output.get("data")
            data = {mime: _text(found[mime]) for mime in MIMES if mime in found} if isinstance(found, dict) else {}
            plain: dict[str, Any] = {
                "output_type": kind,
                "data": data,
                "metadata": presentation(output.get("metadata"), MIMES),
            }
            if kind == "execute_result":
                count = output.get("execution_count")
                plain["execution_count"] = count if type(count) is int and 0 <= count < _MAX_COUNT else None
            return plain if data else {}
    return {}


def _text(value: Any) -> str:
    """Text, or a list of lines joined, without lone surrogates, which cannot be encoded."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _chars(plain: dict[str, Any]) -> int:
    texts = [
        plain.get("text", ""),
        plain.get("evalue", ""),
        *plain.get("traceback", ()),
        *plain.get("data", {}).values(),
    ]
    return sum(map(len, texts)) + 10 * len(texts)

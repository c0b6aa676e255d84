"""The outputs of a cell -> safe HTML of limited size, each in a box of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from coursekit.feedback import code, equations, images, markdown, sanitise, text
from coursekit.feedback.budget import Budget, BudgetExceeded
from coursekit.marking.unrun_cells import is_label

MAX_OUTPUTS = 40
_OF = "[The other outputs of this cell are left out: "


@dataclass(frozen=True)
class RenderedOutput:
    """Safe HTML of one output, and whether the output is the result of its cell."""

    html: str
    is_result: bool = False


def render(outputs: Any, cell: str, budget: Budget | None = None) -> list[str]:
    """HTML of every output that is not empty; ``cell`` is the name of the cell in labels."""
    return [piece.html for piece in render_each(outputs, cell, budget or Budget())]


def render_each(
    outputs: Any, cell: str, budget: Budget, original: str = "the notebook as it was run"
) -> list[RenderedOutput]:
    """Every output that is not empty; if some are left out, a sentence names the ``original``, which has them."""
    found: list[RenderedOutput] = []
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        if len(found) == MAX_OUTPUTS:
            found.append(
                RenderedOutput(f'<p class="absent">{_OF}there are too many. They are in {escape(original)}.]</p>')
            )
            break
        if is_label(output):  # in the style of the grader's remarks, so that no output can look like one
            found.append(RenderedOutput(f'<p class="absent">{escape(_joined(output["data"]["text/plain"]))}</p>'))
            continue
        try:
            html = _one(output, cell, budget)
        except BudgetExceeded:
            found.append(
                RenderedOutput(
                    f'<p class="absent">{_OF}they are too large for one page. They are in {escape(original)}.]</p>'
                )
            )
            break
        if html:
            found.append(RenderedOutput(html, output.get("output_type") == "execute_result"))
    return found


def _one(output: dict[str, Any], cell: str, budget: Budget) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        said = _preformatted(_joined(output.get("text")), f"Printed by {cell}", budget)
        return f'<p class="aside">On stderr:</p>{said}' if output.get("name") == "stderr" and said else said
    if kind == "error":
        return _error(output, cell, budget)
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        return next(filter(None, _displays(output["data"], output.get("metadata"), cell, budget)), "")
    return ""


def _displays(data: dict[str, Any], metadata: Any, cell: str, budget: Budget) -> Iterator[str]:
    """The representations of an output, the best first; an empty one means: try the next."""
    plain = _joined(data.get("text/plain"))
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if picture := _joined(data.get(kind)):
            about = metadata.get(kind) if isinstance(metadata, dict) else None
            about = about if isinstance(about, dict) else {}
            alt = _joined(about.get("alt")) or plain
            generic = not alt.strip() or re.match(r"<\S.*>\s*\Z", alt)  # the repr of an object is no description
            yield images.from_base64(picture, f"Picture made by {cell}" if generic else alt, about.get("width"), budget)
    note = ""
    if html := _joined(data.get("text/html")):
        try:
            if _says_something(cleaned := sanitise.clean(html, budget=budget)):
                yield f'<div class="rich">{cleaned}</div>'
        except BudgetExceeded:
            note = '<p class="absent">[As a table or page this output is too large; here is its plain text.]</p>'
    if source := _joined(data.get("text/markdown")):
        yield f'<div class="rich">{markdown.html(source, budget=budget)}</div>'
    if tex := _joined(data.get("text/latex")).strip():
        inner = re.fullmatch(r"\$\$?(.*?)\$\$?", tex, re.DOTALL)
        tex = text.visible(inner[1] if inner else tex).replace("\\displaystyle", "")
        yield equations.drawn(tex, True, budget) if len(tex) <= equations.MAX_TEX_CHARS else ""
        plain = plain or tex
    if said := _preformatted(plain, f"Result of {cell}", budget):
        yield note + said
    if note:
        raise BudgetExceeded
    if data:
        kinds = ", ".join(sorted(text.name(str(kind), 40) for kind in data)[:5])
        yield f'<p class="absent">[An output of a kind that is not shown here: {escape(kinds)}]</p>'


def _error(output: dict[str, Any], cell: str, budget: Budget) -> str:
    what = ": ".join(filter(None, (text.name(_joined(output.get(key)), 500) for key in ("ename", "evalue"))))
    lines = output.get("traceback")
    trace = "\n".join(filter(None, (_joined(line) for line in lines))) if isinstance(lines, list) else ""
    said = _preformatted(trace, f"Error in {cell}", budget)
    return f'<p class="error-name"><strong>Stopped here</strong> with {escape(what)}</p>{said}'


def _preformatted(said: str, label: str, budget: Budget) -> str:
    shown = text.terminal(text.cut(said)).strip("\n")
    written = code.box(escape(shown), shown, label, "output") if shown.strip() else ""
    nothing_but_colours = min(len(said), text.MAX_CHARS) // 2
    budget.spend(html=written, preformatted=True, at_least=nothing_but_colours)
    return written


def _says_something(html: str) -> bool:
    return "<img" in html or "<math" in html or bool(re.sub(r"<[^>]*>", "", html).strip())


def _joined(value: Any) -> str:
    """Text of a notebook's output, which may be written as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""

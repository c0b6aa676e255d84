"""The outputs of a cell -> safe HTML, each in a box of its own, none of them endless."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from coursekit.feedback_page import code, equations, images, markdown, sanitise, text

MAX_OUTPUTS = 40
MAX_CELL_CHARS = 8 << 20  # of HTML, pictures included
RICH = ("text/html", "text/markdown", "text/latex")


def shown(outputs: Any, cell: str, rich: bool = True) -> list[str]:
    """HTML of every output that says something; ``cell`` names the cell in labels. Not ``rich``: plain text only."""
    pieces: list[str] = []
    for output in outputs if isinstance(outputs, list) else ():
        if len(pieces) == MAX_OUTPUTS or sum(map(len, pieces)) > MAX_CELL_CHARS:
            pieces.append('<p class="absent">[The other outputs of this cell are left out: there are too many.]</p>')
            break
        if isinstance(output, dict):
            pieces += [piece for piece in (_one(output, cell, rich),) if piece]
    return pieces


def weight(outputs: Any) -> int:
    """How many characters of markup there are to be read."""
    datas = [output.get("data") for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    return sum(len(_joined(data.get(kind))) for data in datas if isinstance(data, dict) for kind in RICH)


def _one(output: dict[str, Any], cell: str, rich: bool) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        said = _preformatted(_joined(output.get("text")), f"Printed by {cell}")
        return f'<p class="aside">On stderr:</p>{said}' if output.get("name") == "stderr" and said else said
    if kind == "error":
        return _error(output, cell)
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        data = output["data"]
        if not rich:
            data = {kind: value for kind, value in data.items() if kind not in RICH}
        return next(filter(None, _displays(data, output.get("metadata"), cell)), "")
    return ""


def _displays(data: dict[str, Any], metadata: Any, cell: str) -> Iterator[str]:
    """The ways to show it, the best first; an empty one means: try the next."""
    plain = _joined(data.get("text/plain"))
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if picture := _joined(data.get(kind)):
            about = metadata.get(kind) if isinstance(metadata, dict) else None
            about = about if isinstance(about, dict) else {}
            alt = _joined(about.get("alt")) or plain
            generic = not alt.strip() or re.match(r"<\S.*>\s*\Z", alt)  # the repr of an object tells nobody anything
            yield images.from_base64(picture, f"Picture made by {cell}" if generic else alt, about.get("width"))
    if (html := _joined(data.get("text/html"))) and _says_something(cleaned := sanitise.clean(html)):
        yield f'<div class="rich">{cleaned}</div>'
    if source := _joined(data.get("text/markdown")):
        yield f'<div class="rich">{markdown.html(source)}</div>'
    if tex := _joined(data.get("text/latex")).strip():
        inner = re.fullmatch(r"\$\$?(.*?)\$\$?", tex, re.DOTALL)
        yield equations.mathml(text.visible(inner[1] if inner else tex).replace("\\displaystyle", ""), block=True)
    yield _preformatted(plain, f"Result of {cell}")
    if data:
        kinds = ", ".join(sorted(text.name(str(kind), 40) for kind in data)[:5])
        yield f'<p class="absent">[An output of a kind that is not shown here: {escape(kinds)}]</p>'


def _error(output: dict[str, Any], cell: str) -> str:
    what = ": ".join(filter(None, (text.name(_joined(output.get(key)), 500) for key in ("ename", "evalue"))))
    lines = output.get("traceback")
    trace = "\n".join(filter(None, (_joined(line) for line in lines))) if isinstance(lines, list) else ""
    said = _preformatted(trace, f"Error in {cell}")
    return f'<p class="error-name"><strong>Stopped here</strong> with {escape(what)}</p>{said}'


def _preformatted(said: str, label: str) -> str:
    shown = text.terminal(text.cut(said)).strip("\n")
    return code.box(escape(shown), shown, label, "output") if shown.strip() else ""


def _says_something(html: str) -> bool:
    return "<img" in html or "<math" in html or bool(re.sub(r"<[^>]*>", "", html).strip())


def _joined(value: Any) -> str:
    """Text of a notebook's output, which may be written as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""

"""Markdown with equations -> safe HTML, by the rules of JupyterLab."""

import re
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline

from coursekit.feedback import code, images, sanitise, text
from coursekit.feedback.budget import Budget, BudgetExceeded
from coursekit.submission.attachments import find

MAX_CHARS = 20_000
MAX_EQUATION_LINES = 50  # every line may begin an equation, whose end has to be searched
MAX_ADDED_CELLS = 1_000
_STEP_WORK, _ENTITY_WORK, _BLOCK_WORK, _COLUMN_WORK, _CHARS_FOR_ONE = 4, 8, 8, 16, 10
_SCANS = {
    "[": 2,
    "!": 2,
    "<": 16,
    "`": 16,
    "$": 16,
    "\\": 16,
}  # a character that may start a search up to the end of the text -> characters per unit of work
_BUDGET = "budget"  # the key of the budget in Markdown-it's environment
_ENVIRONMENT = re.compile(r"\\begin\{([a-zA-Z]+\*?)\}")


def html(
    source: str, outline: sanitise.Outline | None = None, attachments: Any = None, budget: Budget | None = None
) -> str:
    """The HTML of a Markdown text; pictures only from data URIs and the cell's own attachments.

    Plain text if the text is too long or too expensive. Raises BudgetExceeded if there is no room even for that.
    """
    budget = budget or Budget()

    def image(address: str, alt: str) -> str:
        if address.startswith("attachment:"):
            return _attached(attachments, address.removeprefix("attachment:"), alt, budget)
        return images.from_source(address, alt, budget)

    if len(source) <= MAX_CHARS:
        try:
            shown = text.visible(source)
            budget.spend(work=len(shown) // _CHARS_FOR_ONE)
            return sanitise.clean(_READER.render(shown, {_BUDGET: budget}), outline, image, budget)
        except BudgetExceeded:
            pass
    return code.plain(source, "Text", budget, "plain", MAX_CHARS)


def _attached(attachments: Any, name: str, alt: str, budget: Budget) -> str:
    bundle = find(attachments, name)
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if isinstance(bundle, dict) and isinstance(bundle.get(kind), str):
            return images.from_base64(bundle[kind], alt or "A picture in the notebook", budget=budget)
    return images.absent(alt, "it was not handed in, or is no PNG, JPEG or GIF picture of at most 6 MB")


def _inline_work(state: StateInline, silent: bool) -> bool:
    """Charge the budget for every attempt of the inline rules at a position; not a rule of Markdown itself."""
    sign = state.src[state.pos]
    scan = (state.posMax - state.pos) // _SCANS[sign] if sign in _SCANS else 0
    state.env[_BUDGET].spend(work=_STEP_WORK + scan + (_ENTITY_WORK if sign == "&" else 0))
    return False


def _pairs_work(state: StateInline) -> None:
    """Charge the budget for pairing the delimiters of emphasis, which takes quadratic time."""
    state.env[_BUDGET].spend(work=2 * len(state.delimiters) + len(state.delimiters) ** 2 // 100)


def _block_work(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Charge the budget for every attempt of the block rules at the beginning of a line."""
    start = state.bMarks[first] + state.tShift[first]
    length = state.eMarks[first] - start
    scan = len(state.src) - start if state.src.startswith("[", start) else length
    columns = state.src.count("|", start, start + length)
    state.env[_BUDGET].spend(work=_BLOCK_WORK + scan // _CHARS_FOR_ONE + _COLUMN_WORK * columns)
    return False


def _inline_equation(state: StateInline, silent: bool) -> bool:
    """``$…$``, ``$$…$$`` and ``\\begin{…}…\\end{…}`` inside a paragraph."""
    source, start = state.src, state.pos
    if source.startswith("$$", start):
        opening, closing, block = "$$", "$$", True
    elif source[start] == "$":
        opening, closing, block = "$", "$", False
    elif found := _ENVIRONMENT.match(source, start, min(start + 40, state.posMax)):
        opening, closing, block = "", f"\\end{{{found[1]}}}", True
    else:
        return False
    begin = start + len(opening)
    end = _end(source, closing, max(begin, start + 1), state.posMax)
    if end < 0:
        return False
    tex = source[begin:end] if opening else source[start : end + len(closing)]
    if opening == "$" and (not tex.strip() or tex[0].isspace() or tex[-1].isspace() or "\n\n" in tex):
        return False  # a price, not an equation
    if not silent:
        state.push("equation", sanitise.EQUATION, 0).meta = {"tex": tex, "block": block}
    state.pos = end + len(closing)
    return True


def _block_equation(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """``$$`` at the start of a line up to ``$$`` at the end of a line; the lines between are no lists or headings."""
    start = state.bMarks[first] + state.tShift[first]
    if state.is_code_block(first) or not state.src.startswith("$$", start):
        return False
    for line in range(first, min(last, first + MAX_EQUATION_LINES)):
        begin = start + 2 if line == first else state.bMarks[line]
        if state.src[begin : state.eMarks[line]].rstrip().endswith("$$"):
            break
        if not state.src[begin : state.eMarks[line]].strip() and line > first:
            return False
    else:
        return False
    if not silent:
        tex = state.src[start + 2 : state.eMarks[line]].rstrip().removesuffix("$$")
        if "$$" in tex:
            return False  # two on a line, with words between them
        state.push("equation", sanitise.EQUATION, 0).meta = {"tex": tex, "block": True}
    state.line = line + 1
    return True


def _end(source: str, closing: str, begin: int, limit: int) -> int:
    """The position of the next ``closing`` that is not escaped; -1 if there is none."""
    place = source.find(closing, begin, limit)
    while place > 0 and closing[0] == "$" and source[place - 1] == "\\":
        place = source.find(closing, place + 1, limit)
    return place


def _equation(_: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    meta = tokens[index].meta
    block = " block" if meta["block"] else ""
    return f'<{sanitise.EQUATION} tex="{escape(meta["tex"])}"{block}>'


def _any_link(url: str) -> bool:
    return True


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.inline.ruler.before("text", "work", _inline_work)
    reader.inline.ruler2.before("balance_pairs", "work", _pairs_work)
    reader.block.ruler.before("table", "work", _block_work, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    reader.inline.ruler.before("escape", "equation", _inline_equation)
    reader.block.ruler.before("fence", "equation", _block_equation, {"alt": ["paragraph", "blockquote", "list"]})
    reader.add_render_rule("equation", _equation)
    # ``sanitise`` decides on links and data URIs; Markdown-it's check would turn such pictures into plain text.
    reader.validateLink = _any_link  # type: ignore[method-assign]
    return reader


# Markdown-it pads short rows: 20,000 characters become 65,536 more cells, in six seconds (markdown-it-py 4.3).
table.__globals__["MAX_AUTOCOMPLETED_CELLS"] = MAX_ADDED_CELLS
_READER = _reader()

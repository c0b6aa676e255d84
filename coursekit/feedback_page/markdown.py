"""Markdown with equations -> safe HTML, read as JupyterLab reads it."""

import re
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline

from coursekit.feedback_page import images, sanitise, text
from coursekit.reading.attachments import called

MAX_CHARS = 20_000
MAX_EQUATION_LINES = 50  # each line may begin one, and has to be followed to where it ends
MAX_ADDED_CELLS = 1_000
_ENVIRONMENT = re.compile(r"\\begin\{([a-zA-Z]+\*?)\}")


def html(source: str, outline: sanitise.Outline | None = None, attachments: Any = None) -> str:
    """The HTML of a Markdown text; pictures only from data URIs and the cell's own attachments."""
    if len(source) > MAX_CHARS:
        return f'<pre class="scroll" tabindex="0">{escape(text.visible(text.cut(source)))}</pre>'
    rendered = _READER.render(text.visible(source))

    def image(address: str, alt: str) -> str:
        if address.startswith("attachment:"):
            return _attached(attachments, address.removeprefix("attachment:"), alt)
        return images.from_source(address, alt)

    return sanitise.clean(rendered, outline, image)


def _attached(attachments: Any, name: str, alt: str) -> str:
    bundle = called(attachments, name)
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if isinstance(bundle, dict) and isinstance(bundle.get(kind), str):
            return images.from_base64(bundle[kind], alt or "A picture in the notebook")
    return images.absent(alt, "it was not handed in, or is no PNG, JPEG or GIF picture of at most 6 MB")


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
    """``$$`` at the beginning of a line up to ``$$`` at the end of one: its lines are no list and no heading."""
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
    """Where ``closing`` stands next and is not escaped; -1 if nowhere."""
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
    reader.inline.ruler.before("escape", "equation", _inline_equation)
    reader.block.ruler.before("fence", "equation", _block_equation, {"alt": ["paragraph", "blockquote", "list"]})
    reader.add_render_rule("equation", _equation)
    # The page allows links and data URIs by its own list; this one would turn pictures into their Markdown.
    reader.validateLink = _any_link  # type: ignore[method-assign]
    return reader


# It fills short rows up: 20,000 characters become 65,536 cells more, after six seconds (markdown-it-py 4.3).
table.__globals__["MAX_AUTOCOMPLETED_CELLS"] = MAX_ADDED_CELLS
_READER = _reader()

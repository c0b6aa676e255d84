"""Highlighted code: Pygments gives the classes, the page's style sheet the colours."""

import re
from functools import lru_cache
from html import escape

from coursekit.feedback import text
from coursekit.feedback.budget import Budget, BudgetExceeded

MAX_COLOURED_CHARS = 8_000
MAX_CHARS = 60_000
_PHONE_CHARS = 26  # longer lines scroll on a phone, and what scrolls must be reachable by keyboard
_TOKEN_WORK = 16
_MAX_CHARS_PER_CHAR = 8  # of an invisible character that is written out, as ⟨U+202E⟩

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")  # about as many tokens as a lexer finds
_ENDLESS = re.compile(r"\s{400}|\S{400}")  # Pygments 2.21 takes quadratic time for such runs of blanks or dots


def html(source: str, label: str, budget: Budget) -> str:
    """The source in a box: with colours, else without, else only its beginning and end. Raises BudgetExceeded."""
    if len(source) <= MAX_COLOURED_CHARS:
        try:
            budget.spend(work=_TOKEN_WORK * sum(1 for _ in _TOKEN.finditer(source)))
            coloured = highlighted(source, label)
            budget.spend(html=coloured, preformatted=True)
            return coloured
        except BudgetExceeded:
            pass
    return plain(source, label, budget)


def plain(source: str, label: str, budget: Budget, kind: str = "code", most: int = MAX_CHARS) -> str:
    """The source in a box without colours, cut to the room left. Raises BudgetExceeded if that is nearly nothing."""
    limit = min(most, (budget.room - 500) // _MAX_CHARS_PER_CHAR)
    if limit < min(len(source), 200):
        raise BudgetExceeded
    shown = text.visible(text.cut(source, limit))
    written = box(escape(shown), shown, label, kind)
    budget.spend(html=written, preformatted=True)
    return written


@lru_cache(maxsize=1024)  # most cells are the course's own
def highlighted(source: str, label: str = "Code", colours: bool = True) -> str:
    """The source in a box, with colours if it is short enough."""
    shown = text.visible(text.cut(source, MAX_CHARS))
    colours = colours and len(shown) <= MAX_COLOURED_CHARS and not _ENDLESS.search(shown)
    return box(_coloured(shown) if colours else escape(shown), shown, label, "code")


def box(inside: str, shown: str, label: str, kind: str) -> str:
    """A preformatted box that scrolls by itself; ``inside`` is safe HTML of the text ``shown``."""
    wide = any(len(line) > _PHONE_CHARS for line in shown.split("\n"))
    focusable = f' tabindex="0" role="group" aria-label="{escape(label)}"' if wide or shown.count("\n") > 30 else ""
    return f'<pre class="{kind} scroll"{focusable}>{inside}</pre>'


def _coloured(source: str) -> str:
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    lexer = get_lexer_by_name("ipython3", stripnl=False, ensurenl=False)
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")

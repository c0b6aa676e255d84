"""TeX -> MathML, offline. An allowlist writes the result, because the converter passes HTML and links through."""

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from coursekit.feedback import text
from coursekit.feedback.budget import Budget

MAX_TEX_CHARS = 2_000
_CHAR_WORK = 20  # latex2mathml 3.81 takes up to as many microseconds a character


def _words(said: str) -> frozenset[str]:
    return frozenset(said.split())


_ELEMENTS = _words(
    "math mfrac mi mmultiscripts mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub msubsup msup"
    " mtable mtd mtext mtr munder munderover mprescripts none menclose mlabeledtr"
)
_ATTRIBUTES = _words(
    "accent accentunder columnalign columnlines columnspacing columnspan depth displaystyle fence form height"
    " largeop linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing rowspan"
    " rspace scriptlevel separator stretchy symmetric voffset width"
)
_VALUE = re.compile(r"[a-z0-9.+ -]{1,40}", re.IGNORECASE)
_SIZE = re.compile(r"[+-]?\d{0,2}(\.\d{1,4})?(em|ex|mu|pt|px)?|thickmathspace|mediummathspace|thinmathspace")
_SIZES = _words("depth height width lspace rspace voffset maxsize minsize linethickness")


def drawn(tex: str, block: bool, budget: Budget) -> str:
    """``mathml``, charged to the budget even if cached: pages do not depend on each other. Raises BudgetExceeded."""
    tex = tex.strip()
    budget.spend(work=_CHAR_WORK * min(len(tex), MAX_TEX_CHARS) + _CHAR_WORK)
    written = mathml(tex, block)
    budget.spend(html=written)
    return written


@lru_cache(maxsize=4096)  # the equations of the course are on every page
def mathml(tex: str, block: bool = False) -> str:
    """The equation as HTML; as its TeX source if it cannot be converted."""
    tex = tex.strip()
    try:
        drawn = _written(_element(tex), block) if len(tex) <= MAX_TEX_CHARS else ""
    except Exception:  # the converter raises many types of exceptions, RecursionError too
        drawn = ""
    if not drawn or "\\" in drawn:  # the converter leaves unknown commands in the text
        drawn = f'<code class="tex">{html.escape(tex)}</code>'
    if not block:
        return drawn
    return f'<div class="equation scroll" tabindex="0" role="group" aria-label="Equation">{drawn}</div>'


def _element(tex: str) -> Element:
    from latex2mathml.converter import convert_to_element

    return convert_to_element(re.sub(r"(?<!\\)%[^\n]*", "", tex))  # it treats TeX's comments as text


def _written(element: Element, block: bool = False, depth: int = 0) -> str:
    if depth > 60:
        raise ValueError("nested too deeply")
    inside = _text(element.text) + "".join(_written(child, depth=depth + 1) + _text(child.tail) for child in element)
    if element.tag not in _ELEMENTS:
        return inside
    kept = {name: value for name, value in element.attrib.items() if name in _ATTRIBUTES and _is_plain(name, value)}
    if element.tag == "math":
        kept = {"display": "block" if block else "inline"}
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in sorted(kept.items()))
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def _is_plain(name: str, value: str) -> bool:
    return bool((_SIZE if name in _SIZES else _VALUE).fullmatch(value))


def _text(found: str | None) -> str:
    return html.escape(text.unescaped(found or ""))  # the converter writes characters as entities

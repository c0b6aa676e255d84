"""A page of Markdown as a value: its links, its anchors, and its code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Code is kept; text between dollars is mathematics, in which [2](5) is no link.
_MATH = re.compile(r"(?s)(```.*?```|`[^`\n]*`)|\$\$.*?\$\$|\$[^$\n]+\$")
_HTML_LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']([^"']+)["']""")
_HTML_ANCHOR = re.compile(r"""\b(?:id|name)\s*=\s*["']([^"']+)["']""")


@dataclass(frozen=True)
class MarkdownPage:
    """The parts of a page that are checked. The first item of each pair is the first line of the paragraph."""

    links: tuple[tuple[int, str], ...]
    anchors: frozenset[str]
    codes: tuple[tuple[int, str], ...]  # in back-ticks
    blocks: tuple[tuple[int, str], ...]  # fenced or indented


def read(text: str, mathematics: bool = False) -> MarkdownPage:
    """Parse a page; with ``mathematics`` text between dollars is skipped, as JupyterLab does."""
    if mathematics:
        text = _MATH.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)
    links: list[tuple[int, str]] = []
    codes: list[tuple[int, str]] = []
    blocks: list[tuple[int, str]] = []
    anchors: list[str] = []
    tokens = _parser().parse(text)
    for position, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else 1
        if token.type in ("fence", "code_block"):
            blocks.append((line, token.content))
        elif token.type == "html_block":
            links += [(line, href) for href in _HTML_LINK.findall(token.content)]
            anchors += _HTML_ANCHOR.findall(token.content)
        elif token.type == "inline":
            links += [(line, href) for href in _links(token)]
            codes += [(line, child.content) for child in token.children or () if child.type == "code_inline"]
            anchors += [name for child in token.children or () for name in _HTML_ANCHOR.findall(_html(child))]
            if position and tokens[position - 1].type == "heading_open":
                anchors += _anchors(token, anchors)
    return MarkdownPage(tuple(links), frozenset(anchors), tuple(codes), tuple(blocks))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _html(token: Token) -> str:
    return token.content if token.type == "html_inline" else ""


def _links(token: Token) -> Iterator[str]:
    for child in token.children or ():
        if child.type == "link_open":
            yield str(child.attrs.get("href", ""))
        elif child.type == "image":
            yield str(child.attrs.get("src", ""))
        yield from _HTML_LINK.findall(_html(child))


def _anchors(heading: Token, taken: list[str]) -> list[str]:
    """The anchors of a heading on GitHub and in JupyterLab."""
    text = "".join(child.content for child in heading.children or () if child.type in ("text", "code_inline"))
    slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
    again = sum(1 for name in taken if name == slug or re.fullmatch(re.escape(slug) + r"-\d+", name))
    return [f"{slug}-{again}" if again else slug, text.strip().replace(" ", "-")]

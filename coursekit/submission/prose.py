"""Prose in a submitted cell: how many words may be a written answer, and the text as Markdown."""

import ast
import io
import keyword
import re
import tokenize
from dataclasses import dataclass

from coursekit.model.student_code import parsed
from coursekit.submission.cells import SubmittedCell

MAX_CHARS = 20_000  # of a cell that are searched; a longer cell counts as an answer
MIN_WORDS_IN_COMMENTS, MIN_WORDS_IN_CODE = 3, 20  # if a cell has only comments and strings, and if it also computes
MAX_WORDS_IN_TITLE = 3  # a longer heading is an answer written as a heading
NOT_KEPT = "*This cell showed a picture that is not kept here; it is in the notebook that was handed in.*"
_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts without blanks between words
_WORD = re.compile(rf"[^\W\d_{_EAST_ASIAN}]{{2,}}|[{_EAST_ASIAN}]")
_SENTENCE = re.compile(rf"[^\W\d_]{{2,}}(?:[,;:]?[ ]+[^\W\d_]+){{3}}|[{_EAST_ASIAN}]{{6}}")
_NOTHING = re.compile(
    r"^ {0,3}#{1,6}(?:[ \t].*)?$|^.*\n {0,3}(?:={3,}|-{3,})[ \t]*$|<h([1-6])\b[^>]{0,99}>[^<]{0,300}</h\1>"  # headings
    r"|<!--(?s:.*?)(?:-->|\Z)|</?[a-zA-Z][^<>]*>|^[ \t>*_=-]+$",  # comments, tags, lines
    re.MULTILINE,
)
_LABEL = re.compile(
    r"^[ \t]*(?:#+[ \t]*(?P<heading>.*)|(?:\*\*|__)(?P<bold>[^*_]{1,80})(?:\*\*|__)|(?P<named>[^:]{1,60}):)"
)
_NOTE = re.compile(r"(?i)^\W*(?:my\s+)?(?:notes?|remarks?|remember|reminder|todo|to do)\b(?! that)")
_SMALL_WORDS = frozenset({"exercise", "exercises", "function", "note", "notes", "remark", "remarks", "my", "own", "on",
                          "of", "for", "to", "about", "the", "and"})  # fmt: skip
_KEYWORDS = re.compile(rf"\b(?:{'|'.join(keyword.kwlist)}|print|range)\b")
_SHOWING = frozenset({"print", "display", "Markdown", "HTML"})
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_NAMES_TEXT = (ast.Assign, ast.Name, ast.BinOp, ast.operator, ast.JoinedStr, ast.FormattedValue)


@dataclass(frozen=True)
class Prose:
    """``words`` counts those that may be an answer. ``only_text``: the cell is nothing but text, so it need not run."""

    words: int
    text: str
    only_text: bool


def extract(submitted: SubmittedCell) -> Prose:
    """The prose in a cell that the student added, which may be a written answer."""
    text = as_text(submitted)
    if submitted.kind != "code":
        return Prose(_count(text), text, True)
    tree = parsed(submitted.source) if submitted.parseable else None
    if tree is None:
        return Prose(_count(text) if _SENTENCE.search(_KEYWORDS.sub("", text[:MAX_CHARS])) else 0, text, True)
    alone = not tree.body or _only_shows_text(tree)
    named = not alone and _only_shows_text(tree, _NAMES_TEXT)  # answer = "…": other cells may use the name
    spoken = _count(text if alone else _strings(tree) if named else "\n".join(_comments_and_strings(submitted.source)))
    enough = spoken >= (MIN_WORDS_IN_COMMENTS if alone or named else MIN_WORDS_IN_CODE)
    return Prose(spoken if enough else 0, text, alone)


def as_answer(submitted: SubmittedCell) -> str:
    """The Markdown of a written answer, with a line about pictures that are not kept."""
    text = as_text(submitted)
    return (
        "\n\n".join(filter(None, [text, NOT_KEPT]))
        if submitted.showed_pictures and not submitted.all_pictures
        else text
    )


def as_text(submitted: SubmittedCell) -> str:
    """The Markdown of a written answer, from a Markdown, raw or code cell."""
    tree = parsed(submitted.source) if submitted.parseable and submitted.kind == "code" else None
    if tree is None:
        return submitted.source
    if not tree.body:
        return "\n".join(re.sub(r"^\s*#+ ?", "", line) for line in submitted.source.split("\n"))
    if _only_shows_text(tree):
        return _strings(tree)
    return f"```python\n{submitted.source.rstrip()}\n```"


def words(text: str) -> list[str]:
    """The words of a text; in scripts without blanks between words, each letter counts as a word."""
    return _WORD.findall(text[:MAX_CHARS])


def is_about_another(submitted: SubmittedCell, functions: frozenset[str], numbers: frozenset[str]) -> bool:
    """Whether its first line is only a label that names another exercise, by function or number."""
    first = next((line for line in submitted.source[:MAX_CHARS].split("\n") if line.strip()), "")
    note, label = _NOTE.search(first), _LABEL.search(first)
    label_text = first[:80] if note else next(filter(None, label.groups()), "") if label else ""
    names = set(re.findall(r"\w+", label_text))
    if not (names & functions or numbers.intersection(re.findall(r"(?i)\bexercises?\s*(\d{1,4})", label_text))):
        return False
    return all(name in functions or name.lower() in _SMALL_WORDS or name.isdigit() for name in names)


def _count(text: str) -> int:
    """Number of words without titles; a text without words, such as a number or a sign, counts as one."""
    plain = _NOTHING.sub(" ", text[:MAX_CHARS])
    if plain.strip():
        return len(words(plain)) or 1
    title = len(words(_TAG.sub(" ", text[:MAX_CHARS])))
    return title if title > MAX_WORDS_IN_TITLE else 0


def _strings(tree: ast.Module) -> str:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n\n".join(text.strip() for text in strings if isinstance(text, str))


def _only_shows_text(tree: ast.Module, also: tuple[type[ast.AST], ...] = ()) -> bool:
    """Whether code consists of string literals, displayed or not, and of the node types ``also``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _SHOWING:
            continue
        if not isinstance(node, (ast.Module, ast.Expr, ast.Call, ast.Constant, ast.expr_context, *also)):
            return False
    return True


def _comments_and_strings(source: str) -> list[str]:
    found: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                found.append(token.string.lstrip("# "))
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # count what was read before the error
    return found

"""What a cell says in words: how much of it may be an answer for a person to read, and as which text."""

import ast
import io
import keyword
import re
import tokenize
from dataclasses import dataclass

from coursekit.model.student_code import parsed
from coursekit.submission.cells import Piece

MAX_CHARS = 20_000  # of a cell, to be looked at; what is longer is an answer
MIN_WORDS_IN_COMMENTS, MIN_WORDS_IN_CODE = 3, 20  # of comments and strings alone, and beside code that does something
MAX_WORDS_IN_TITLE = 3  # a heading of more is an answer that somebody wrote in large letters
NOT_KEPT = "*This cell showed a picture that is not kept here; it is in the notebook that was handed in.*"
_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts that put no blanks between words
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
_SPEAKS = frozenset({"print", "display", "Markdown", "HTML"})
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_NAMES_TEXT = (ast.Assign, ast.Name, ast.BinOp, ast.operator, ast.JoinedStr, ast.FormattedValue)


@dataclass(frozen=True)
class Said:
    """``words`` is how many count; ``only_text`` whether the cell is nothing but text, and so need not run."""

    words: int
    text: str
    only_text: bool


def said(piece: Piece) -> Said:
    """What a cell of a student's own says that may be an answer."""
    text = as_text(piece)
    if piece.kind != "code":
        return Said(_count(text), text, True)
    tree = parsed(piece.source) if piece.short else None
    if tree is None:
        return Said(_count(text) if _SENTENCE.search(_KEYWORDS.sub("", text[:MAX_CHARS])) else 0, text, True)
    alone = not tree.body or _only_speaks(tree)
    named = not alone and _only_speaks(tree, _NAMES_TEXT)  # answer = "…": it stays, since other cells may use the name
    spoken = _count(text if alone else _strings(tree) if named else "\n".join(_comments_and_strings(piece.source)))
    enough = spoken >= (MIN_WORDS_IN_COMMENTS if alone or named else MIN_WORDS_IN_CODE)
    return Said(spoken if enough else 0, text, alone)


def as_answer(piece: Piece) -> str:
    """The Markdown of a cell that is an answer, which tells of pictures that could not be kept."""
    text = as_text(piece)
    return "\n\n".join(filter(None, [text, NOT_KEPT])) if piece.drew and not piece.shown else text


def as_text(piece: Piece) -> str:
    """The Markdown of a cell that is an answer in words, whatever kind of cell it is now."""
    tree = parsed(piece.source) if piece.short and piece.kind == "code" else None
    if tree is None:
        return piece.source
    if not tree.body:
        return "\n".join(re.sub(r"^\s*#+ ?", "", line) for line in piece.source.split("\n"))
    if _only_speaks(tree):
        return _strings(tree)
    return f"```python\n{piece.source.rstrip()}\n```"


def words(text: str) -> list[str]:
    """The words of a text; of scripts without blanks between words, the letters."""
    return _WORD.findall(text[:MAX_CHARS])


def is_about_another(piece: Piece, functions: frozenset[str], numbers: frozenset[str]) -> bool:
    """Whether its first line does nothing but say that it belongs to another exercise, by a function or a number."""
    first = next((line for line in piece.source[:MAX_CHARS].split("\n") if line.strip()), "")
    note, label = _NOTE.search(first), _LABEL.search(first)
    told = first[:80] if note else next(filter(None, label.groups()), "") if label else ""
    names = set(re.findall(r"\w+", told))
    if not (names & functions or numbers.intersection(re.findall(r"(?i)\bexercises?\s*(\d{1,4})", told))):
        return False
    return all(name in functions or name.lower() in _SMALL_WORDS or name.isdigit() for name in names)


def _count(text: str) -> int:
    """The words of a text, titles aside; something without a word, such as a number or a sign, is one."""
    plain = _NOTHING.sub(" ", text[:MAX_CHARS])
    if plain.strip():
        return len(words(plain)) or 1
    title = len(words(_TAG.sub(" ", text[:MAX_CHARS])))
    return title if title > MAX_WORDS_IN_TITLE else 0


def _strings(tree: ast.Module) -> str:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n\n".join(text.strip() for text in strings if isinstance(text, str))


def _only_speaks(tree: ast.Module, also: tuple[type[ast.AST], ...] = ()) -> bool:
    """Whether code is nothing but texts, shown or not, and what else is allowed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _SPEAKS:
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
        pass  # what could be read counts
    return found

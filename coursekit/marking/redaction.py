"""Redaction: what may be quoted from a student's function while it has hidden inputs.

The message of an exception helps the student, but a function could put hidden inputs into it, as digits, words or
punctuation. So only texts are quoted that can be written without knowing the inputs: messages of Python, NumPy or the
notebook's own ``raise`` lines, names and lines of the notebook, and small numbers such as sizes. By choosing among
these, a function can reveal about twenty bytes per check, and loses the check: less than any hidden array.
"""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from coursekit.marking.known_messages import DESCRIPTIONS, MESSAGES, NAME, PATH, MatchBudget, OwnMessage, with_gaps
from coursekit.reference.assignments import Assignment
from coursekit.submission.cells import parsed

# A course's notebook has 500 names and 500 lines. The more there are to choose from, the more a choice can reveal.
MAX_NAMES, MAX_LINES, MAX_OWN_MESSAGES = 2000, 2000, 100
MAX_CHARS, MAX_LINE_CHARS = 220, 120
_MAX_NOTEBOOK_CHARS, _MAX_PARSED_CHARS = 1 << 20, 50_000
_NUMBERED = re.compile(r"([^\W\d]\w*?)[0-9]{0,2}")  # W1, dA12: a program may append the number
EXCEPTIONS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
) | {"AxisError", "LinAlgError", "UFuncTypeError", "_UFuncNoLoopError", "_UFuncOutputCastingError"}  # of NumPy
EXCEPTIONS |= {"StdinNotImplementedError"}  # of input()
_TYPES = frozenset(
    """NoneType bool builtin_function_or_method bytes complex dict dict_items dict_keys dict_values dtype enumerate
    filter float float16 float32 float64 frozenset function generator int int32 int64 list list_iterator longdouble map
    matrix memmap method module ndarray numpy object range reversed set slice str tuple type ufunc uint8 zip""".split()  # noqa: SIM905
)
_UFUNCS = frozenset(name for name, value in vars(np).items() if isinstance(value, np.ufunc))


def names_of(assignment: Assignment) -> frozenset[str]:
    """The assignment's names of functions, arguments and outputs, which reveal nothing hidden."""
    texts: set[str] = set()
    for exercise in assignment.exercises:
        outputs = (exercise.outputs,) if isinstance(exercise.outputs, str) else exercise.outputs
        texts |= {exercise.function, *exercise.inputs, *outputs}
        texts |= {text for case in exercise.cases for text in case.extra}
        texts |= {path for recorded in assignment.expected(exercise).values() for path in recorded}
    names = {name for text in texts for name in NAME.findall(text)}
    # W for W1: with W1 in the set, W123 would be accepted as W1 with a number, which is more than a layer's number.
    return frozenset(found[1] for name in names if (found := _NUMBERED.fullmatch(name)))


@dataclass(frozen=True)
class Redactor:
    """Decides what may be quoted from one notebook's process. Every method returns "" for a text that may not."""

    names: frozenset[str]
    lines: frozenset[str]
    own: tuple[OwnMessage, ...] = ()
    budget: MatchBudget = field(default_factory=MatchBudget, compare=False)  # when used up, own messages are not quoted

    @classmethod
    def of(cls, sources: Iterable[str], ours: Iterable[str] = ()) -> "Redactor":
        """The redactor for a notebook with these code cells; ``ours`` are names that the course itself uses."""
        cells = list(sources)
        text = "\n".join(cells)[:_MAX_NOTEBOOK_CHARS]
        names = dict.fromkeys(found[0] for found in NAME.finditer(text))
        lines = dict.fromkeys(line.strip()[:MAX_LINE_CHARS] for line in text.splitlines())
        return cls(
            frozenset([*names][:MAX_NAMES]) | _TYPES | _UFUNCS | frozenset(ours),
            frozenset([*lines][:MAX_LINES]),
            tuple(dict.fromkeys(_own_messages(cells)))[:MAX_OWN_MESSAGES],
        )

    def message(self, said: str) -> str:
        """The message of an exception."""
        if len(said) > MAX_CHARS:
            return ""
        unquoted = dict.fromkeys((said, _without_quotes(said)))  # a KeyError quotes its message
        return said if any(self._fits(text, MESSAGES) or self._is_own(text) for text in unquoted) else ""

    def exception(self, said: str) -> str:
        """The name of an exception's type."""
        return said if said in EXCEPTIONS or self._known(said) else ""

    def name(self, said: str) -> str:
        """The name of a function."""
        return said if self._known(said) else ""

    def description(self, said: str) -> str:
        """The description of a value by ``selfcheck.returned_values.kind``."""
        return said if len(said) <= MAX_CHARS and self._fits(said, DESCRIPTIONS) else ""

    def path(self, said: str) -> str:
        """The path of a value in the result of a function, such as ``caches[0]["W"]``."""
        if not PATH.fullmatch(said):
            return ""
        return said if all(self._known(name) for name in NAME.findall(said)) else ""

    def line(self, said: str) -> str:
        """A line of code."""
        return said if said.strip()[:MAX_LINE_CHARS] in self.lines and len(said) <= MAX_LINE_CHARS else ""

    def _known(self, name: str) -> bool:
        found = _NUMBERED.fullmatch(name)
        return name in self.names or (found is not None and found[1] in self.names)

    def _fits(self, said: str, patterns: Iterable[re.Pattern[str]]) -> bool:
        return any(
            found and all(map(self._may_fill, found.groups()))
            for found in (pattern.fullmatch(said) for pattern in patterns)
        )

    def _is_own(self, said: str) -> bool:
        return any(
            fillings is not None and all(map(self._may_fill, fillings))
            for fillings in (message.fillings(said, self.budget) for message in self.own)
        )

    def _may_fill(self, part: str | None) -> bool:
        """Whether this may fill a gap: a known name, or a number or shape (the pattern has matched it as such)."""
        return not part or part[0] in "-(0123456789" or self._known(part)


def _without_quotes(said: str) -> str:
    inside = said[1:-1]
    return inside.replace("\\'", "'") if len(said) > 1 and said[0] == said[-1] and said[0] in "'\"" else said


def _own_messages(cells: Iterable[str]) -> Iterator[OwnMessage]:
    """The messages of the notebook's own ``raise`` lines, with gaps for inserted values."""
    left = _MAX_PARSED_CHARS
    for cell in cells:
        if "raise" not in cell or len(cell) > left:
            continue
        left -= len(cell)
        tree = parsed(cell)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                message = with_gaps(_texts(node.exc.args[0]))
                if message is not None and message.texts != ("",):
                    yield message


def _texts(said: ast.expr) -> list[str]:
    """The fixed texts of a string or f-string; empty texts for any other expression."""
    if isinstance(said, ast.Constant):
        return [said.value] if isinstance(said.value, str) else [""]
    texts = [""]
    for part in said.values if isinstance(said, ast.JoinedStr) else ():
        if isinstance(part, ast.Constant):
            texts[-1] += str(part.value)
        else:
            texts.append("")
    return texts

"""Known messages: exceptions of Python and NumPy, and descriptions of values, as patterns with places for values.

A text that matches a pattern can carry no other information than which pattern it is, a few names and small numbers.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_GAPS = 3  # in a message of the student's own
_QUOTES = ("'", '"')

_SHAPE = r"\((?:[0-9]{1,3}(?:, ?[0-9]{1,3}){0,3},?)?\)"
_PLACES = {
    "#": "-?[0-9]{1,3}",
    "N": "[0-9]{1,7}",
    "name": r"[^\W\d]\w{0,39}",
    "shape": _SHAPE,
    "shapes": f"{_SHAPE}(?: {_SHAPE}){{0,2}} ?",
    "big": r"\((?:[0-9]{1,6}(?:, [0-9]{1,6}){0,3},?)?\)",
    "op": r"(?:[-+*/@%&|^<>=!]{1,3}|\*\* or pow\(\)|divmod\(\))",
    "sign": r"[-+~]",
    "s": "s?",
}
_PLACE = re.compile(r"\{(#|\w+)\}")  # in the lines below

_MESSAGES = """\
list index out of range
list assignment index out of range
tuple index out of range
string index out of range
pop from empty list
list indices must be integers or slices, not {name}
tuple indices must be integers or slices, not {name}
string indices must be integers, not '{name}'
'{name}'
{#}
name '{name}' is not defined
cannot access local variable '{name}' where it is not associated with a value
local variable '{name}' referenced before assignment
'{name}' object has no attribute '{name}'
module '{name}' has no attribute '{name}'
No module named '{name}'
'{name}' object is not subscriptable
'{name}' object is not iterable
'{name}' object is not callable
'{name}' object cannot be interpreted as an integer
'{name}' object does not support item assignment
cannot unpack non-iterable {name} object
not enough values to unpack (expected {#}, got {#})
too many values to unpack (expected {#})
too many values to unpack (expected {#}, got {#})
unhashable type: '{name}'
'{name}' object is not a mapping
'{name}' is an invalid keyword argument for {name}()
'{name}' must be a number, not {name}
argument must be a string or a number, not '{name}'
object of type '{name}' has no len()
bad operand type for unary {sign}: '{name}'
bad operand type for abs(): '{name}'
unsupported operand type(s) for {op}: '{name}' and '{name}'
'{op}' not supported between instances of '{name}' and '{name}'
can only concatenate {name} (not "{name}") to {name}
can't multiply sequence by non-int of type '{name}'
must be real number, not {name}
float() argument must be a string or a real number, not '{name}'
int() argument must be a string, a bytes-like object or a real number, not '{name}'
{name}() missing {#} required positional argument{s}: '{name}'
{name}() missing {#} required positional arguments: '{name}' and '{name}'
{name}() missing {#} required positional arguments: '{name}', '{name}', and '{name}'
{name}() takes {#} positional argument{s} but {#} was given
{name}() takes {#} positional argument{s} but {#} were given
{name}() takes from {#} to {#} positional arguments but {#} were given
{name}() got an unexpected keyword argument '{name}'
{name}() got multiple values for argument '{name}'
division by zero
float division by zero
integer division or modulo by zero
integer modulo by zero
math domain error
math range error
maximum recursion depth exceeded
maximum recursion depth exceeded in comparison
maximum recursion depth exceeded while calling a Python object
dictionary changed size during iteration
Exercise {#}: {name}
matmul: Input operand {#} has a mismatch in its core dimension {#}, with gufunc signature (n?,k),(k,m?)->(n?,m?) \
(size {#} is different from {#})
matmul: Input operand {#} does not have enough dimensions (has {#}, gufunc core with signature \
(n?,k),(k,m?)->(n?,m?) requires {#})
operands could not be broadcast together with shapes {shapes}
operands could not be broadcast together with remapped shapes [original->remapped]: {shapes}
could not broadcast input array from shape {shape} into shape {shape}
non-broadcastable output operand with shape {shape} doesn't match the broadcast shape {shape}
shape mismatch: objects cannot be broadcast to a single shape
shapes {shape} and {shape} not aligned: {#} (dim {#}) != {#} (dim {#})
cannot reshape array of size {#} into shape {shape}
cannot select an axis to squeeze out which has size not equal to one
axes don't match array
repeated axis in transpose
axis {#} is out of bounds for array of dimension {#}
index {#} is out of bounds for axis {#} with size {#}
too many indices for array: array is {#}-dimensional, but {#} were indexed
boolean index did not match indexed array along axis {#}; size of axis is {#} but size of corresponding boolean axis \
is {#}
arrays used as indices must be of integer (or boolean) type
only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid indices
only integer scalar arrays can be converted to a scalar index
only length-1 arrays can be converted to Python scalars
only 0-dimensional arrays can be converted to Python scalars
The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()
The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array is not empty.
setting an array element with a sequence.
setting an array element with a sequence. The requested array has an inhomogeneous shape after {#} dimensions. \
The detected shape was {shape} + inhomogeneous part.
need at least one array to concatenate
all the input arrays must have same number of dimensions, but the array at index {#} has {#} dimension(s) and the \
array at index {#} has {#} dimension(s)
all the input array dimensions except for the concatenation axis must match exactly, but along dimension {#}, the \
array at index {#} has size {#} and the array at index {#} has size {#}
all input arrays must have the same shape
zero-dimensional arrays cannot be concatenated
zero-size array to reduction operation {name} which has no identity
attempt to get argmax of an empty sequence
Cannot interpret '{#}' as a data type
data type '{name}' not understood
assignment destination is read-only
negative dimensions are not allowed
Singular matrix
Last 2 dimensions of the array must be square
object of too small depth for desired array
Einstein sum subscripts string contains too many subscripts for operand {#}
einstein sum subscripts string contains too many subscripts for operand {#}
operand has more dimensions than subscripts given in einstein sum, but no '...' ellipsis provided to broadcast the \
extra dimensions.
einstein sum subscripts string included output subscript '{name}' which never appeared in an input
loop of ufunc does not support argument {#} of type {name} which has no callable {name} method
ufunc '{name}' not supported for the input types, and the inputs could not be safely coerced to any supported types \
according to the casting rule ''safe''
ufunc '{name}' did not contain a loop with signature matching types {name} -> None
Cannot cast ufunc '{name}' output from dtype('{name}') to dtype('{name}') with casting rule 'same_kind'
unsupported format string passed to {name}.__format__
raw_input was called, but this frontend does not support input requests.
"""

_DESCRIPTIONS = """\
None (is there a return, and does every branch set the value?)
a single number
an empty {name}
a {name} with {N} entries
a {name} with 1 entry
an array of shape {big}
an array of shape {big} of complex numbers
an array of shape {big} of objects
an array of shape {big} of text
an array of shape {big} of {name}
a value of type {name}
"""


def _compiled(table: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile("".join(_parts(line))) for line in table.splitlines())


def _parts(line: str) -> Iterator[str]:
    """The regular expression of a line, piece by piece; each name is a group."""
    for position, piece in enumerate(_PLACE.split(line)):
        if position % 2 == 0:
            yield re.escape(piece)
        else:
            yield f"({_PLACES[piece]})" if piece == "name" else _PLACES[piece]


MESSAGES = _compiled(_MESSAGES)
DESCRIPTIONS = _compiled(_DESCRIPTIONS)
PATH = re.compile(rf'({_PLACES["name"]})((?:\[[0-9]{{1,3}}\]|\["{_PLACES["name"]}"\]){{0,5}})')
NAME = re.compile(_PLACES["name"])


_NUMBER, _SHAPED = re.compile(_PLACES["#"]), re.compile(_SHAPE)


@dataclass
class MatchBudget:
    """How many steps are left for matching the messages of one submission.

    Steps are counted, not timed, so that the result is the same on every computer.
    """

    left: int = 100_000

    def spend(self, steps: int = 1) -> bool:
        """Take steps from the budget; returns whether they were available."""
        self.left -= steps
        return self.left >= 0


@dataclass(frozen=True)
class OwnMessage:
    """A message of the notebook's own ``raise``: fixed texts, and in each gap between two a name, number or shape."""

    texts: tuple[str, ...]

    def fillings(self, said: str, budget: MatchBudget) -> tuple[str, ...] | None:
        """The contents of the gaps, each as long as possible; None if ``said`` does not match.

        No gap is tried twice at the same position, so that the time is linear in the length of ``said``. (A regular
        expression would backtrack over all ways to split a word among the gaps: seconds for one message.)
        """
        first, last = self.texts[0], self.texts[-1]
        if len(self.texts) == 1:
            return () if said == first else None
        if not said.startswith(first) or not said.endswith(last):
            return None
        return self._fill(said, len(first), 1, set(), budget)

    def _fill(
        self, said: str, at: int, gap: int, failed: set[tuple[int, int]], budget: MatchBudget
    ) -> tuple[str, ...] | None:
        if (gap, at) in failed:
            return None
        for filling, end in _fillings(said, at):
            if not budget.spend():
                return None
            behind = end + len(self.texts[gap])
            if gap + 1 < len(self.texts):
                if said.startswith(self.texts[gap], end):
                    rest = self._fill(said, behind, gap + 1, failed, budget)
                    if rest is not None:
                        return (filling, *rest)
            elif behind == len(said) and said.endswith(self.texts[gap]):
                return (filling,)
        failed.add((gap, at))
        return None


def _fillings(said: str, at: int) -> Iterator[tuple[str, int]]:
    """Possible contents of a gap that begins at ``at``, quoted or not, longest first, each with the end of the gap."""
    for start in (at + 1, at) if said[at : at + 1] in _QUOTES else (at,):
        for end in _ends(said, start):
            filling = said[start:end]
            if said[end : end + 1] in _QUOTES:
                yield filling, end + 1
            yield filling, end


def _ends(said: str, start: int) -> Iterator[int]:
    if name := NAME.match(said, start):
        yield from range(name.end(), start, -1)
    yield start
    if number := _NUMBER.match(said, start):
        yield from range(number.end(), start + (said[start] == "-"), -1)
    if shape := _SHAPED.match(said, start):
        yield shape.end()


def with_gaps(texts: Sequence[str]) -> OwnMessage | None:
    """The message with gaps between these texts; None if there are too many gaps."""
    return OwnMessage(tuple(texts)) if len(texts) - 1 <= MAX_GAPS else None

"""Of what a student's function says only that is quoted which could be said without knowing a hidden case."""

import random
import re
import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursekit.marking.known_messages import MatchBudget, OwnMessage
from coursekit.marking.redaction import MAX_CHARS, MAX_LINES, MAX_NAMES, MAX_OWN_MESSAGES, Redactor, names_of
from tests.tables import ASSIGNMENTS, loaded

CELLS = (
    "import numpy as np\nparameters = {}\nmy_cache = []\n",
    "def forward(A, W, rate):\n    Z = W @ A\n    if rate < 0:\n        raise ValueError('the rate is negative')\n",
    "def choose(activation, n):\n    raise ValueError(f'no {activation!r} in layer {n}, use relu')\n",
)


@pytest.fixture(scope="module")
def redactor():
    """For a notebook with these cells, in which the names of the assignments may be quoted as well."""
    return Redactor.of(CELLS, frozenset().union(*(names_of(loaded(assignment)) for assignment in ASSIGNMENTS)))


@pytest.mark.parametrize(
    "said",
    [
        "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?)"
        " (size 3 is different from 5)",
        "operands could not be broadcast together with shapes (3,5) (4,1)",
        "operands could not be broadcast together with shapes (3,) (4,1) ",
        "could not broadcast input array from shape (3,5) into shape (3,1)",
        "non-broadcastable output operand with shape (3,1) doesn't match the broadcast shape (3,5)",
        "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()",
        "name 'my_cache' is not defined",
        "'NoneType' object is not subscriptable",
        "unsupported operand type(s) for @: 'NoneType' and 'float'",
        "forward() missing 1 required positional argument: 'rate'",
        "list index out of range",
        "'W3'",
        "division by zero",
        "ufunc 'bitwise_xor' not supported for the input types, and the inputs could not be safely coerced to any"
        " supported types according to the casting rule ''safe''",
        "Exercise 3: linear_forward",
        "the rate is negative",
        "no 'relu' in layer 3, use relu",
        "no 'tanh' in layer (3, 4), use relu",
        "'the rate is negative'",
    ],
)
def test_messages_that_help_are_quoted(redactor, said):
    assert redactor.message(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "0.8812, 0.1123",
        "[[1, 2], [3, 4]]",
        "name 'x7fa031' is not defined",
        "no 'x7fa031' in layer 3, use relu",
        "no 'relu' in layer 123456, use relu",
        "could not broadcast input array from shape (3,5) into shape (3,123456)",
        "operands could not be broadcast together with shapes (1,2) (3,4) (5,6) (7,8) (9,1)",
        "operands could not be broadcast together with shapes (١,٢) (٣,٤)",
        "name '²²' is not defined",
        "list index out of range" * 2,
        "list index out of range 12",
        "the array has shape",
        "''''''''''",
        "W W W W W W b b W b",
        "",
        "a" * 500,
    ],
)
def test_a_message_with_anything_else_in_it_is_not(redactor, said):
    assert redactor.message(said) == ""


@pytest.mark.parametrize("name", ["ValueError", "LinAlgError", "SystemExit", "AxisError"])
def test_exceptions_that_everybody_has_are_named(redactor, name):
    assert redactor.exception(name) == name
    assert redactor.exception(f"{name}_3fa9c1") == ""


def test_a_type_of_the_notebooks_own_is_named():
    assert Redactor.of(["class Unknown(Exception): pass"]).exception("Unknown") == "Unknown"


@pytest.mark.parametrize(
    "said",
    [
        "None (is there a return, and does every branch set the value?)",
        "an empty list",
        "a dict with 12 entries",
        "a list with 1 entry",
        "an array of shape (3, 5) of complex numbers",
        "an array of shape (1000, 200)",
        "a value of type str",
        "a single number",
    ],
)
def test_descriptions_of_values_are_quoted(redactor, said):
    assert redactor.description(said) == said


@pytest.mark.parametrize(
    "said",
    ["a value of type Tdeadbeef", "a value of type", "x", "a dict with 123456789 entries", "a deadbeef with 3 entries"],
)
def test_a_description_of_ones_own_is_not(redactor, said):
    assert redactor.description(said) == ""


@pytest.mark.parametrize(
    "said", ["AL", "caches[0][1]", 'cache["linear_cache"][2]', 'parameters["W3"]', "dA12", "my_cache"]
)
def test_places_with_known_names_are_quoted(redactor, said):
    assert redactor.path(said) == said


@pytest.mark.parametrize(
    "said", ["", "deadbeef", "W123", "W[1234]", 'cache["deadbeef"]', "W" + "[1]" * 6, "W.T", "W W"]
)
def test_other_places_are_not(redactor, said):
    assert redactor.path(said) == ""


def test_a_line_is_quoted_where_it_stands_in_the_notebook(redactor):
    assert redactor.line("    Z = W @ A") == "    Z = W @ A"
    assert redactor.line("Z = W @ B") == ""


def test_a_notebook_made_of_words_does_not_make_a_language():
    """With a dictionary in a comment, each name would say more: so only so many names of a notebook are known."""
    words = ["".join(random.Random(seed).choices(string.ascii_lowercase, k=6)) for seed in range(20_000)]
    cell = "# " + "\n# ".join(words) + "\n" + "\n".join(f"raise ValueError('{word}')" for word in words[:2000])
    redactor = Redactor.of([cell])
    known = sum(bool(redactor.exception(word)) for word in words)
    assert 0 < known <= MAX_NAMES
    assert sum(bool(redactor.line(f"# {word}")) for word in words) <= MAX_LINES
    assert sum(bool(redactor.message(word)) for word in words) <= MAX_OWN_MESSAGES


def test_an_f_string_of_gaps_alone_is_no_message():
    redactor = Redactor.of(["raise ValueError(f'{a}{b}{c}{d}{e}')"])
    assert redactor.message("aWbWa") == ""
    assert redactor.message("123456789") == ""


@pytest.mark.parametrize(
    "cell", ["raise ValueError(" * 3000, "raise x" + "(" * 500, "raise 'é\ud800'", "%%bash\nraise", "raise"]
)
def test_a_notebook_that_is_no_python_does_no_harm(cell):
    assert Redactor.of([cell]).message("list index out of range") == "list index out of range"


@settings(max_examples=200, deadline=None)
@example(b"\xff" * 64)
@given(st.binary(min_size=16, max_size=64))
def test_sixteen_bytes_in_no_code_of_these_are_quoted(data):
    """Hexadecimal, decimal, words, signs, blanks, dots and layouts: whatever carries them is dropped."""
    redactor = Redactor.of(CELLS)
    names = sorted(redactor.names)
    signs = "()[]{}<>,.:;=+-*"
    for said in (
        data.hex(),
        " ".join(str(byte) for byte in data),
        " ".join(names[byte % len(names)] for byte in data),
        "".join(signs[byte >> 4] + signs[byte & 15] for byte in data),
        "list" + " " * (data[0] + 2) + "index out of range",
        f"name '{data.hex()}' is not defined",
        f"W[{data[0]}]" + "".join(f"[{byte}]" for byte in data),
    ):
        assert (
            redactor.message(said)
            == redactor.description(said)
            == redactor.path(said)
            == redactor.exception(said)
            == ""
        )


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_quoted_as_it_is_or_not_at_all(said):
    redactor = Redactor.of(CELLS)
    for quote in (redactor.message, redactor.description, redactor.path, redactor.exception, redactor.line):
        assert quote(said) in (said, "")


# --- messages of the notebook's own, with gaps -----------------------------------------------------

NAME, NUMBER, SHAPE = r"[^\W\d]\w{0,39}", "-?[0-9]{1,3}", r"\((?:[0-9]{1,3}(?:, ?[0-9]{1,3}){0,3},?)?\)"
GAP = rf"[\"']?((?:{NAME})?|{NUMBER}|{SHAPE})[\"']?"
SOME = st.text("aé_1 -'\"(,)", max_size=6)


FILLED = st.sampled_from(["", "a", "é_1", "'a'", "-1", "12", "(1, 1)", '"', "a'", "(1,)"])


def said_with(texts):
    """What such a message may say, or nearly."""
    near = st.tuples(*[FILLED for _ in texts]).map(lambda gaps: "".join(map("".join, zip(texts, gaps, strict=True))))
    return st.tuples(st.just(texts), near | SOME)


@settings(max_examples=500, deadline=None)
@example((["", "_", ""], "a_b_c"))
@example((["", "", "", ""], "aaaa"))
@example((["", "a", ""], "'aaa'"))
@example((["a", "1", ""], "a111"))
@given(st.lists(SOME, min_size=1, max_size=4).flatmap(said_with))
def test_gaps_are_filled_as_a_regular_expression_would_fill_them(case):
    texts, said = case
    found = re.fullmatch(GAP.join(map(re.escape, texts)), said)
    assert OwnMessage(tuple(texts)).fillings(said, MatchBudget()) == (found.groups() if found else None)


def test_messages_that_nearly_fit_many_patterns_cost_no_time():
    """A hundred such exceptions took a minute, when each was compared with a hundred patterns in all ways."""
    raises = [f"    raise ValueError(f'{{a}}{{b}}{{c}}{'a' * length}')" for length in range(MAX_OWN_MESSAGES)]
    redactor = Redactor.of(["def f(a, b, c):\n" + "\n".join(raises)])
    assert len(redactor.own) == MAX_OWN_MESSAGES
    began = time.process_time()
    for length in range(1000):
        said = ("a" * length + "bcdefghij" * 30)[: MAX_CHARS - 101] + "a" * 100
        assert redactor.message(said) == ""
    assert time.process_time() - began < 1.5


def test_what_the_comparing_of_messages_may_cost_is_counted_and_not_timed():
    """Which messages are quoted is the same on a slow machine."""
    cells = ["def f(a):\n    raise ValueError(f'no {a} here')"]
    free, tired = Redactor.of(cells), Redactor.of(cells)
    tired.budget.left = 0
    assert free.message("no a here") == "no a here"
    assert tired.message("no a here") == ""
    assert tired.message("list index out of range") == "list index out of range"

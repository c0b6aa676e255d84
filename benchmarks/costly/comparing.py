"""Functions whose results, exceptions and outputs are expensive to take in, to compare or to quote."""

from benchmarks.costly.kit import (
    ALL,
    COST,
    COST_LOST,
    NOTHING_LOST,
    Costly,
    Notebook,
    answered,
    behind_every_cell,
    code,
    every_answer,
    lazily,
    with_cells,
)  # fmt: skip


def _costly(name: str, make: object, lost: frozenset[str] = NOTHING_LOST) -> Costly:
    return Costly(name, "comparing", lazily(make), lost)  # type: ignore[arg-type]


def _cost(code_: str) -> Notebook:
    """The solved notebook whose cost function does this in place of its last line."""
    return answered(COST, code_)


def _everywhere(first: str) -> Notebook:
    """Every function of the notebook begins with these lines."""

    def change(source: str) -> str:
        lines = source.split("\n")
        out = []
        for line in lines:
            if "BEGIN SOLUTION" in line or "YOUR CODE" in line:
                pad = line[: len(line) - len(line.lstrip())]
                out += [line, *(pad + new for new in first.split("\n"))]
            else:
                out.append(line)
        return "\n".join(out)

    return every_answer(change)


def _near(gaps: str, message: str) -> Notebook:
    """A hundred messages of the notebook's own with three gaps, and exceptions that almost fit each of them."""
    own = "\n".join(f"    if x == {number}: raise ValueError(f'{gaps}{number}')" for number in range(100))
    return with_cells(
        [code(f"def never(x):\n{own}", "own")], notebook=_everywhere(f"raise ValueError(str({message!r}))")
    )


def _near_numpy() -> Notebook:
    """Almost what NumPy says of shapes, as long as a message is still looked at."""
    message = "operands could not be broadcast together with shapes " + "(1,2,3,4) " * 16 + "?"
    return _everywhere(f"raise ValueError(str({message!r}))")


def _forged_answers() -> Notebook:
    """What only the grader's own guest should say, in lines as long and as deep as they may be."""
    source = (
        "import json, os\n"
        "deep = '[' * 900 + ']' * 900\n"
        "wide = '[' + ','.join(['{}'] * 1_000_000) + ']'\n"
        "for number in range(1, 4):\n"
        "    for line in (3, 4, 5):\n"
        "        for value in (deep, wide):\n"
        "            try:\n"
        '                said = \'{"output": {"output_type": "display_data", "data": {"application/json": %s}}}\\n\'\n'
        "                os.write(line, (said % value).encode())\n"
        "            except OSError:\n"
        "                pass"
    )
    return with_cells([code(source)])


HOSTILE = """class Hostile(np.ndarray):
    def __repr__(self): return "x" * 50_000_000
    __str__ = __repr__
    def __array__(self, *args, **kwargs): return np.zeros((4000, 4000))
    def __len__(self): return 1 << 60
    def __getattribute__(self, name): return np.ndarray.__getattribute__(self, name)
    def __iter__(self):
        while True: yield self
    def __eq__(self, other): return True
    __hash__ = None"""
RECURSIVE = "cost = []\ncost.append(cost)\nfor _ in range(50): cost = [cost, cost]"
SHARED = "cost = ['x' * 100]\nfor _ in range(40): cost = [cost] * 10"

INPUTS = (
    _costly("exceptions that almost fit a hundred own messages", lambda: _near("{x}{x}{x} ", "a" * 118 + "!"), ALL),
    _costly("exceptions that almost fit, name by name", lambda: _near("{x}_{x}_{x}_", "a_" * 58 + "!"), ALL),
    _costly("exceptions that almost fit NumPy's messages", _near_numpy, ALL),
    _costly("an exception of 50 MB", lambda: _cost("raise ValueError('x' * 50_000_000)"), COST_LOST),
    _costly("exceptions that chain 2,000 deep", lambda: _cost(
        "error = None\nfor n in range(2000):\n"
        "        new = ValueError(n); new.__cause__ = error; error = new\n    raise error"
        .replace("\n", "\n    ")), COST_LOST),
    _costly("a cost of 16 million numbers", lambda: _cost("return np.zeros((4000, 4000))"), COST_LOST),
    _costly("every function returns 8 MiB", lambda: _everywhere("return np.full((1024, 1024), np.nan)"), ALL),
    _costly("a dict of 200,000 keys", lambda: _everywhere("return {f'k{n}': n for n in range(200_000)}"), ALL),
    _costly("a dict of 20,000 arrays", lambda: _everywhere(
        "return {f'W{n}': np.ones((3, 2)) for n in range(20_000)}"), ALL),
    _costly("lists in lists, 900 deep", lambda: _everywhere(
        "x = 1\nfor _ in range(900): x = [x]\nreturn x"), ALL),
    _costly("lists that hold themselves", lambda: _cost(
        RECURSIVE.replace("\n", "\n    ") + "\n    return cost"), COST_LOST),
    _costly("a list that is ten times ten times itself", lambda: _cost(
        SHARED.replace("\n", "\n    ") + "\n    return cost"), COST_LOST),
    _costly("a string of 100 MB", lambda: _cost("return 'x' * 100_000_000"), COST_LOST),
    _costly("objects with hostile methods", lambda: with_cells(
        [code(HOSTILE, "hostile")], notebook=_cost("return np.zeros((2, 2)).view(Hostile)")), COST_LOST),
    _costly("an array of objects", lambda: _cost(
        "return np.array([Exception('x' * 1000)] * 100_000, dtype=object)"), COST_LOST),
    _costly("5,000 displays in every cell", lambda: behind_every_cell(
        "for n in range(5_000): display({'text/plain': str(n)}, raw=True)")),
    _costly("displays that are updated 5,000 times", lambda: behind_every_cell(
        "one = display('x' * 10_000, display_id=True)\nfor n in range(2_000): one.update('y' * 1_000)")),
    _costly("lines that look like the guest's answers", _forged_answers),
    _costly("names and lines by the thousand", lambda: with_cells(
        [code("\n".join(f"name_{n}_{c} = {n}" for n in range(4_000)), f"names-{c}") for c in range(5)],
        notebook=_everywhere("raise NameError('name ' + 'name_1_' * 25 + ' is not defined')")), ALL),
    _costly("JSON outputs of 200,000 small objects", lambda: behind_every_cell(
        "display({'application/json': [{'': 1}] * 200_000}, raw=True)")),
)  # fmt: skip

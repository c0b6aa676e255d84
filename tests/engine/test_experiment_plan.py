"""Which cells are experiments is known without running anything: from the source's tags and the names in the code."""

import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.experiments import plan, statements
from coursekit.experiments.statements import Use

SOLUTION = {"nbgrader": {"solution": True, "grade": False, "grade_id": "answer"}}
TEST = {"nbgrader": {"solution": False, "grade": True, "grade_id": "answer-test", "points": 1}}
TAGGED = {"tags": ["experiment"]}


def notebook(*cells):
    """Code cells from (id, source) or (id, source, metadata)."""
    return new_notebook(cells=[new_code_cell(cell[1], id=cell[0], metadata=dict(*cell[2:])) for cell in cells])


def unrun(*cells):
    return plan.unrun(notebook(*cells))


def after(experiment, cell, *before):
    """Whether a cell is not run that stands behind an experiment."""
    return "then" in unrun(*before, ("made", experiment, TAGGED), ("then", cell))


def test_without_a_tag_every_cell_is_run():
    assert unrun(("a", "x = train()"), ("b", "print(x)")) == {}


def test_a_tagged_cell_is_not_run_nor_what_uses_its_variables_through_any_number_of_cells():
    cells = [("made", "costs = train()", TAGGED), ("second", "best = min(costs)"), ("third", "print(best)")]
    assert unrun(*cells, ("other", "print(1)")) == {"made": "", "second": "", "third": ""}


@pytest.mark.parametrize(
    "cell",
    [
        "print(costs)",
        "costs['a'] = 1",
        "costs += [1]",
        "del costs",
        "f'{costs}'",
        "[x for x in costs]",
        "if costs: pass",
        "@costs\ndef f(): pass",
        "def f(x=costs): pass",
        "class A(costs): pass",
        "class A:\n    x = costs",
        "lambda: costs",
        "match costs:\n    case _: pass",
        "def show():\n    print(costs)\nshow()",
        "def show():\n    def inner():\n        return costs\n    return inner()\nshow()",
        "class A:\n    def f(self): return costs\nA()",
        "%time print(costs)",
        "%%time\nprint(costs)",
    ],
)
def test_whatever_reads_a_variable_of_an_experiment_is_not_run(cell):
    assert after("costs = train()", cell)


@pytest.mark.parametrize(
    "cell",
    [
        "print(cost, other.costs)",
        "costs = 1\nprint(costs)",
        "def f(costs): return costs\nf(1)",
        "def f():\n    costs = 1\n    return costs\nf()",
        "def later():\n    return costs",
        "[costs for costs in range(3)]",
        "'costs'  # costs",
        "x = = costs",
        "%%bash\necho costs",
        "!echo costs",
    ],
)
def test_what_only_looks_like_it_is_run(cell):
    assert not after("costs = train()", cell)


@pytest.mark.parametrize(
    "experiment",
    [
        "results['plain'] = train()",
        "results.update(train())",
        "results.plain = train()",
        "fill('plain')",
        "if True:\n    fill('plain')",
        "(results := train())",
        "for results in train(): pass",
        "with train() as results: pass",
        "import x as y; [results] = train()",
        "results, other = train(), 2",
        "%time results = train()",
        "results = !ls",
        "results = = 1",
    ],
)
def test_what_an_experiment_binds_or_changes_in_place_is_its_own(experiment):
    """Also through a function that it calls: so a notebook collects the results of several trainings."""
    before = ("before", "results = {}\ndef fill(name):\n    results[name] = 1")
    assert after(experiment, "print(results)", before)
    assert not after("other = train()", "print(results)", before)


def test_a_module_is_not_changed_by_setting_something_in_it():
    assert not after("plt.rcParams['x'] = 1\nnp.random.seed(1)", "plt.plot(np.zeros(3))", ("i", "import plt, np"))
    assert not after("list.sort(x)", "list(range(3))")


def test_a_variable_that_is_given_again_by_a_cell_that_is_run_is_known_again():
    cells = [("made", "x = train()", TAGGED), ("again", "x = 1"), ("then", "print(x)")]
    assert unrun(*cells) == {"made": ""}


def test_imports_functions_classes_and_constants_of_an_experiment_are_kept():
    source = """import math  # for later
from os import path as p; x = train(); y = 1
RATE, SIZES = 0.5, [1, -2, (3, "a"), {"b": None}]

@staticmethod
def f(a=1):
    "says %s"
    return x

class A(dict):
    pass

try:
    import tqdm
except ImportError:
    tqdm = None
z = f(2)
w = [train()]"""
    (kept,) = unrun(("made", source, TAGGED)).values()
    assert kept.split("\n") == [
        "import math",
        "from os import path as p; y = 1",
        'RATE, SIZES = 0.5, [1, -2, (3, "a"), {"b": None}]',
        "",
        "@staticmethod",
        "def f(a=1):",
        '    "says %s"',
        "    return x",
        "",
        "class A(dict):",
        "    pass",
        "",
        "try:",
        "    import tqdm",
        "except ImportError:",
        "    tqdm = None",
    ]


def test_what_is_kept_is_there_for_cells_that_are_run():
    cells = [("made", "def f(): return 1\nRATE = 2\nx = train()", TAGGED), ("then", "print(f(), RATE)")]
    assert list(unrun(*cells)) == ["made"]


def test_a_function_whose_head_needs_what_was_not_run_is_not_defined():
    cells = [("made", "x = train()\ndef f(a=x): pass", TAGGED), ("then", "f()")]
    assert unrun(*cells) == {"made": "", "then": ""}


@pytest.mark.parametrize("about", [SOLUTION, TEST, {"nbgrader": {"solution": True, "grade": True}}])
def test_what_decides_a_mark_is_always_run_even_where_it_is_tagged(about):
    cells = [("made", "x = train()", TAGGED), ("answer", "print(x)", about), ("tagged", "print(x)", TAGGED | about)]
    assert unrun(*cells) == {"made": ""}


def test_answers_and_tests_that_need_an_experiment_are_found():
    cells = [("made", "x = train()", TAGGED), ("answer", "def f(): return x", SOLUTION), ("t", "print(f(), x)", TEST)]
    assert plan.missing_variables(notebook(*cells)) == {"answer": ("x",), "t": ("x",)}
    cells[2] = ("t", "print(f())", TEST)
    assert plan.missing_variables(notebook(*cells)) == {"answer": ("x",)}, (
        "told where it is needed, not wherever it is called"
    )
    assert plan.missing_variables(notebook(*cells[1:])) == {}


def test_code_that_is_no_python_is_run_as_it_is_and_binds_nothing():
    assert statements.statements("def f(:") is None
    assert statements.statements("%%html\n<b>") == ()


def test_names_of_functions_are_those_around_them():
    (one,) = statements.statements("def f(a, *b, c=d, **e):\n    global g\n    g = h(a)\n    i = j\n    i.x = k.y = 1")
    assert one.run_use == Use(frozenset("d"))
    assert one.call_uses == (("f", Use(frozenset("hjk"), frozenset("gk"))),)


HOSTILE = {
    "deep": "(" * 5000 + ")" * 5000,
    "a long sum": "x = " + "1+" * 40_000 + "1",
    "chain": "=".join("a" * 30_000),
    "calls": "f" + "()" * 30_000,
    "attributes": "x" + ".a" * 30_000 + " = 1",
    "lambdas": "lambda: " * 3000 + "1",
    "comprehensions": "[" * 90 + "x" + " for x in y]" * 90,
    "functions": "\n".join(f"{' ' * n}def f{n}(): " for n in range(90)) + "pass",
    "half a character": "x = '\ud83d'; y = train()",
    "nul": "x = 1\0",
    "returns": "x = 1\ry = 2\r\nz = 3\x0c\nw = 4",
    "accents": "x" + "\u0301" * 90_000 + " = 1",
    "number": "x = " + "9" * 90_000,
    "braces": "f'" + "{" * 10_000 + "'",
    "f-strings": "f'{" * 200,
    "globals": "global x\nx = 1\nnonlocal y",
    "await": "await x\nasync for y in z: pass",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("metadata", [{}, TAGGED], ids=["untagged", "tagged"])
def test_hostile_code_is_never_run_raises_nothing_and_takes_no_time(name, metadata):
    began = time.process_time()
    found = unrun(("made", "y = train()", TAGGED), ("hostile", HOSTILE[name], metadata), ("then", "print(y)"))
    assert {"made", "then"} - found.keys() <= {"then"}
    assert time.process_time() - began < 5


FLOODS = {
    "functions that call each other": "".join(f"def f{n}(): f{n + 1}()\n" for n in range(3000)) + "f0()\n" * 4000,
    "names": "".join(f"n{n} = y\n" for n in range(15_000)),
    "imports": "".join(f"import n{n}\n" for n in range(6000)),
    "reads of many names": "def f():\n" + "".join(f" n{n}\n" for n in range(6000)) + "f()\n" * 6000,
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_the_work_for_one_notebook_is_bounded(name):
    own = [(f"added-{number}", FLOODS[name]) for number in range(4)]
    began = time.process_time()
    unrun(("made", "y = train()", TAGGED), *own, ("then", "print(y)"))
    assert time.process_time() - began < 10


def test_many_small_cells_are_read_up_to_a_limit():
    own = [(f"added-{number}", "print(y)") for number in range(2000)]
    found = unrun(("made", "y = train()", TAGGED), *own, ("then", "print(y)"))
    assert 100 < len(found) < 600
    assert "then" in found

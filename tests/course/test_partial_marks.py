"""What a partly right answer is worth: by output as well as by depth, and nothing for what comes with the question."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from coursekit.model.course import functions_in
from coursekit.model.exercise import CACHES
from coursekit.sandbox import isolation
from tests.attacks import Room, said
from tests.classroom import put_trusted_files
from tests.course.answers import COURSE, KEYS, rows, solved, verdict
from tests.tables import exercise

WITH_CACHE = [key for key in KEYS if set(exercise(key).outputs) & set(CACHES)]


def function(key):
    """The solution of an exercise."""
    assignment, _, name = key.partition("/")
    return solved(assignment)[name]


def marks(key, target):
    with np.errstate(all="ignore"):
        return verdict(key, target)


def changed(key, change):
    """The solution, and what it returns put through ``change``."""
    right = function(key)

    @functools.wraps(right)
    def answer(*args, **kwargs):
        return change(right(*args, **kwargs))

    return answer


def lost(verdict):
    return {result.name for result in verdict.results if not result.passed}


def test_every_exercise_with_a_cache_is_looked_at():
    assert len(WITH_CACHE) == 8


@pytest.mark.parametrize("key", WITH_CACHE)
def test_a_cache_pays_nothing_beside_a_wrong_result(key):
    """Most of a cache is the input: whoever hands that on has done nothing yet."""
    verdict = marks(key, changed(key, lambda found: (found[0] + 1, *found[1:])))
    assert verdict.earned == 0
    verdict = marks(key, changed(key, lambda found: (None, *found[1:])))
    assert verdict.earned == 0


@pytest.mark.parametrize("name", ["linear_forward", "relu", "softmax"])
def test_the_inputs_alone_are_worth_nothing(name):
    right = function(f"digits/{name}")
    inputs_only = (lambda A, W, b: (None, (A, W, b))) if name == "linear_forward" else (lambda Z: (Z, Z))
    assert marks(f"digits/{name}", right).full
    assert marks(f"digits/{name}", inputs_only).earned == 0


@pytest.mark.parametrize("key", [key for key in WITH_CACHE if exercise(key).points > 4])
def test_a_wrong_cache_costs_no_more_than_the_cache(key):
    verdict = marks(key, changed(key, lambda found: (found[0], None)))
    assert verdict.earned > verdict.points / 2, verdict.reason


def test_why_a_right_cache_does_not_pay_is_told():
    key = "digits/linear_forward"
    reason = marks(key, changed(key, lambda found: (found[0] + 1, found[1]))).reason
    assert "The cache counts only beside a right Z." in reason


@pytest.mark.parametrize(("key", "earned"), [("step-by-step/L_model_backward", 11), ("digits/l_model_backward", 6)])
def test_gradients_of_parameters_count_though_those_of_activations_have_wrong_names(key, earned):
    def misnamed(grads):
        return {f"dA{int(name[2:]) + 1}" if name.startswith("dA") else name: value for name, value in grads.items()}

    verdict = marks(key, changed(key, misnamed))
    assert verdict.earned == earned, verdict.reason
    assert all(name.startswith("dA") for name in lost(verdict))


@pytest.mark.parametrize(
    ("key", "earned"),
    [("application/two_layer_model", 18), ("application/L_layer_model", 17), ("digits/l_layer_model", 8)],
)
def test_every_cost_twice_loses_what_the_costs_are_worth_and_no_more(key, earned):
    twice = changed(key, lambda found: (found[0], [cost for cost in found[1] for _ in "12"]))
    verdict = marks(key, twice)
    assert verdict.earned == earned, verdict.reason
    assert all("costs" in name for name in lost(verdict))


@pytest.mark.parametrize("key", KEYS)
def test_whatever_a_hidden_case_leaves_to_a_default_a_public_case_leaves_to_it_too(key):
    """Whoever has forgotten the default is told by the public test."""
    row = exercise(key)
    given = {public: [len(case.arguments) for case in row.cases if case.public is public] for public in (True, False)}
    assert min(given[True]) <= min(given[False])


@pytest.mark.parametrize("assignment", COURSE.assignments())
def test_nothing_that_an_assignment_asks_for_is_handed_out_with_it(assignment):
    asked = set(rows(assignment))
    given = {name: functions_in(path) & asked for name, path in COURSE.trusted_files(assignment).items()}
    assert {name: found for name, found in given.items() if found} == {}


# Whatever is handed out with any assignment, and what is not: nothing of it may be found.
MODULES = {
    path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
    for folder in (*COURSE.root.glob("release/*"), *COURSE.root.glob("hidden/*"), COURSE.root / "hidden")
    for path in folder.rglob("*.py")
}
EVERY_WAY = """
import contextlib, importlib, sys
SEARCHED = globals().setdefault("SEARCHED", {{}})
def {name}(*args):
    from types import FunctionType, ModuleType
    found = []
    if SEARCHED.get("{name}") == len(sys.modules):  # in vain, and nothing has been loaded since
        raise LookupError("nothing of that name")
    with contextlib.suppress(ImportError):
        import dnn_utils
        found.append(getattr(dnn_utils, "{name}", None))
    for module in {modules}:
        with contextlib.suppress(ImportError):
            found.append(vars(importlib.import_module(module)).get("{name}"))
    own = {{}}
    with contextlib.suppress(ImportError):
        exec("from dnn_utils import *", own)
    found.append(own.get("{name}"))
    for module in [*sys.modules.values()]:
        if isinstance(module, ModuleType) and module.__name__ != "__main__":
            found.append(vars(module).get("{name}"))
            for value in [*vars(module).values()]:
                if isinstance(value, FunctionType) and not module.__name__.startswith(("IPython", "coursekit")):
                    found.append(value.__globals__.get("{name}"))
    for function in found:
        if callable(function) and function is not globals()["{name}"]:
            return function(*args)
    SEARCHED["{name}"] = len(sys.modules)
    raise LookupError("nothing of that name")
"""


@pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")
def test_what_digits_asks_for_cannot_be_had_from_its_helpers():
    """By import, by star, by attribute, by the modules that are loaded, by the globals of their functions."""
    names = [*rows("digits")]
    with Room(COURSE, "digits") as room:
        marked = room.mark(
            room.notebook({name: EVERY_WAY.format(name=name, modules=sorted(MODULES)) for name in names})
        )
    assert room.marks(marked) == dict.fromkeys(names, 0), said(marked)


def test_dnn_utils_without_activations_says_what_to_do(tmp_path):
    put_trusted_files(COURSE, "digits", tmp_path)
    asked = f"import sys; sys.path.remove({str(COURSE.root)!r}); "  # where an installed coursekit finds the course
    asked += "from dnn_utils import *; import dnn_utils; print(hasattr(dnn_utils, 'x')); from dnn_utils import relu"
    done = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "False\n"
    assert done.stderr.endswith("In any other, put dnn/activations.py back, as it was in the release.\n")

"""Marks cannot be forged: every attack earns what the same answers earn without it, mostly nothing.

Each attack is a notebook as somebody might hand it in: right answers, two that are wrong, and a trick that is meant
to make these two count, or to make others pay. ``linear_forward`` and ``compute_cost`` are the wrong ones wherever
nothing else is said; the functions that call them are right, and keep their points.
"""

import copy
import json
from dataclasses import dataclass, field

import nbformat
import pytest

from coursekit.grading import outcomes
from coursekit.marking import graded_verdicts
from coursekit.marking.limits import TimeLimits
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from coursekit.sandbox.client import Child, Sandbox
from coursekit.sandbox.timeouts import MAX_CELL_RUNS
from tests.attacks import Room, leaked, printed, said
from tests.classroom import ROOT, copy_course, hand_in
from tests.patience import spends_at_most

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")

WRONG = {
    "linear_forward": "def linear_forward(A, W, b):\n    return np.zeros((W.shape[0], A.shape[1])), (A, W, b)",
    "compute_cost": "def compute_cost(AL, Y):\n    return 0.0",
}
NOTHING_FOR_THE_WRONG = {"linear_forward": 0.0, "compute_cost": 0.0}
ALL_GONE = {row.function: 0.0 for row in assignments.load(Course(ROOT), "step-by-step").exercises}


@pytest.fixture(scope="module")
def room(course):
    with Room(course) as room:
        yield room


@pytest.fixture(scope="module")
def digits(course):
    with Room(course, "digits") as room:
        yield room


def test_without_any_trick_right_answers_have_full_marks_and_wrong_ones_none(room):
    assert room.marks(room.mark(room.notebook())) == room.points
    assert room.marks(room.mark(room.notebook(WRONG))) == room.points | NOTHING_FOR_THE_WRONG


@dataclass(frozen=True)
class Attack:
    """Where the attacker's code stands, and the marks, where they are others than full ones and 0 for the wrong two."""

    name: str
    start: str = ""
    end: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)
    earned: dict[str, float] = field(default_factory=lambda: dict(NOTHING_FOR_THE_WRONG))
    files: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


# A value that agrees with everything.
AGREES = """
class Agrees:
    __array_priority__ = 1e9
    def __init__(self, *_): pass
    def _yes(self, *_, **__): return True
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = _yes
    __array_ufunc__ = __array_function__ = _yes
    def _self(self, *_, **__): return self
    __sub__ = __rsub__ = __abs__ = __invert__ = __add__ = __radd__ = __mul__ = __rmul__ = __getitem__ = _self
    astype = reshape = ravel = any = all = _self
    shape, size, ndim, nbytes = (), 1, 0, 8
    dtype = np.dtype(float)
    __hash__ = object.__hash__
class AgreeingArray(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    __le__ = __lt__ = __ge__ = __gt__ = __eq__
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.ones(self.shape, bool)
    def __array_function__(self, func, types, args, kwargs): return True
    def tobytes(self, *_): return bytes(8 * self.size)
    def astype(self, *_, **__): return self
"""
IMPORTS = "import numpy as np\nimport sys, os, json, gc, inspect, builtins, types\n"
# Finds the objects of the machinery in the process, as far as anybody can.
FIND = (
    IMPORTS
    + """
def find(name):
    return [one for one in gc.get_objects() if type(one).__name__ == name]
def module(suffix):
    return next((one for name, one in sys.modules.items() if name.endswith(suffix)), None)
"""
)
# Lines that pretend to be the answers to requests, all that are to come.
FORGE = (
    IMPORTS
    + """
def line(number, done=True, **more):
    names = ["example", "other sizes", "seven examples", "sigmoid", "relu", "6-4-3", "2-5-7", "4-3-1", "m=1", "m=2"]
    names += ["m=5", "m=40", "close to 0 and 1", "3-1-6", "1-2-20"]
    zero = {"shape": [], "data": "AAAAAAAAAAA="}
    seen = [{"case": name, "outputs": {"Z": zero, "cost": zero}, "inputs": {}, "passed": True} for name in names]
    message = {"id": number, "done": done, "status": "ok", "defined": True, "observations": seen,
               "earned": 100, "points": 100, "full": True, "checks": "passed", **more}
    return json.dumps(message).encode() + b"\\n"
def forge(first=1, last=80, **more):
    for number in range(first, last):
        os.write(3, line(number, **more))
"""
)

PATCHES = [
    Attack("comparisons of NumPy say yes", start=IMPORTS + """
for name in ("allclose", "isclose", "array_equal", "array_equiv"):
    setattr(np, name, lambda *args, **kwargs: True)
np.isfinite = lambda x, *args, **kwargs: np.True_"""),
    Attack("assertions of numpy.testing do nothing", start=IMPORTS + """
import numpy.testing
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *args, **kwargs: None)"""),
    Attack("np.asarray gives what agrees with everything", start=IMPORTS + AGREES + """
asarray = np.asarray
np.asarray = lambda x, *args, **kwargs: asarray(x, *args, **kwargs).view(AgreeingArray)
np.ascontiguousarray = lambda x, *args, **kwargs: asarray(x, dtype="<f8").view(AgreeingArray)""",
        earned={**ALL_GONE, "initialize_parameters": 2, "initialize_parameters_deep": 4}),
    Attack("an array that agrees with everything", start=IMPORTS + AGREES, answers={
        "linear_forward": "def linear_forward(A, W, b):\n"
        "    return np.zeros((W.shape[0], A.shape[1])).view(AgreeingArray), (A, W, b)",
        "compute_cost": "def compute_cost(AL, Y):\n    return np.zeros(()).view(AgreeingArray)"}),
    Attack("an object that equals everything", start=IMPORTS + AGREES, answers={
        "linear_forward": "def linear_forward(A, W, b):\n    return Agrees(), (A, W, b)",
        "compute_cost": "def compute_cost(AL, Y):\n    return Agrees()"}),
    Attack("a float that equals everything", answers={"compute_cost": """
class Cost(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __sub__
    __float__ = lambda self: 0.0
    __hash__ = float.__hash__
def compute_cost(AL, Y):
    return Cost(0.5)"""}),
    Attack("AssertionError is a warning, and nobody can fail", start=IMPORTS + """
builtins.AssertionError = Warning
import selfcheck.testing
selfcheck.testing.PublicTestFailure.__init__ = lambda self, *args: None"""),
    Attack("built-ins are patched", start=IMPORTS + """
real_print, real_import, real_max, real_abs = print, __import__, max, abs
builtins.print = lambda *args, **kwargs: real_print("All tests passed: 100/100")
builtins.__import__ = lambda name, *args, **kwargs: real_import(name, *args, **kwargs)
builtins.abs = lambda x: 0
builtins.max = lambda *args, **kwargs: real_max(*args, **kwargs)
builtins.all = lambda x: True
builtins.any = lambda x: False""", earned={}),
    Attack("isinstance, type and len are patched while the function is tried", answers={"compute_cost": """
import builtins, sys
def compute_cost(AL, Y):
    if type(sys.stdout).__name__ != "_DiscardedOutput": return 0.0
    builtins.isinstance = lambda *args: True
    builtins.len = lambda *args: 1
    return 0.0"""},
        # From then on nothing works in this process, where the other functions are tried: that is the attacker's own.
        earned={}),
    Attack("the modules that carry the answer are patched", start=IMPORTS + """
import base64, copy, signal, random
dumps = json.dumps
def lying(message, *args, **kwargs):
    if isinstance(message, dict):
        message = {**message, "earned": 100, "passed": True, "defined": True}
    return dumps(message, *args, **kwargs)
json.dumps = lying
copy.deepcopy = copy.copy = lambda x, *args: x
random.seed = lambda *args: None
encode = base64.b64encode
base64.b64encode = lambda data, *args: encode(data if len(data) > 8 else bytes(8))""", earned={}),
    Attack("the course's comparison finds nothing wrong", start=IMPORTS + """
from selfcheck import calls, comparison, testing
for module in (calls, comparison, testing):
    module.compare = lambda expected, *args, **kwargs: [comparison.OutputComparison(path) for path in expected]
    module.changed = lambda *args: []
comparison.likely_cause = lambda *args: "right" """),
    Attack("the course's modules are replaced", start=IMPORTS + """
class Yes(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None
for name in (
    "public_tests", "testCases", "cases", "selfcheck", "selfcheck.calls", "selfcheck.known_mistakes", "h5py",
    "exercises", "mistakes", "coursekit", "coursekit.author", "coursekit.marking.judge",
):
    sys.modules[name] = Yes(name)"""),
    Attack("modules in files shadow the real ones", start=IMPORTS + """
for name in ("numpy", "comparison", "public_tests", "cases", "exercises", "json", "base64", "judge"):
    open(name + ".py", "w").write("def __getattr__(name):\\n    return lambda *args, **kwargs: True\\n")
for name in ("sitecustomize", "usercustomize", "conftest"):
    open(name + ".py", "w").write("import os\\nos._exit(0)\\n")
open("nbgrader_config.py", "w").write("c = get_config()\\nc.ClearSolutions.enabled = False\\n")
sys.path.insert(0, os.getcwd())
import importlib
from selfcheck import comparison
importlib.invalidate_caches()
importlib.reload(comparison)
sys.modules.pop("public_tests", None)
sys.modules.pop("cases", None)""",
        earned=NOTHING_FOR_THE_WRONG),  # right functions that a retry calls are in another process
    Attack("files handed in beside the notebook", files={
        "selfcheck/comparison.py": b"def compare(*args, **kwargs): return []\n",
        "selfcheck.py": b"def __getattr__(name): return lambda *args: None\n",
        "public_tests.py": b"def __getattr__(name): return lambda *args: None\n",
        "sitecustomize.py": b"import os; os._exit(0)\n",
        "numpy/__init__.py": b"raise SystemExit\n",
        "cases.py": b"EXERCISES = ()\n",
        "recorded.npz": b"PK\x03\x04",
        "exercises.py": b"EXERCISES = ()\n",
        "hidden/step-by-step/exercises.py": b"EXERCISES = ()\n",
        "hidden/step-by-step/recorded.npz": b"PK\x03\x04",
        "coursekit/author.py": b"def check(*args): pass\n",
        "autograded/step-by-step.ipynb": b"{}",
        "gradebook.db": b"SQLite format 3\x00"}),
]  # fmt: skip

HOOKS = [
    Attack("an input transformer writes better answers", start="""
ip = get_ipython()
ip.input_transformers_cleanup.append(lambda lines: ["pass\\n"] if "_test(" in "".join(lines) else lines)
ip.input_transformers_post.append(lambda lines: [line.replace("return 0.0", "return 0.5") for line in lines])"""),
    Attack("a syntax-tree transformer removes the tests", start="""
import ast
class Tame(ast.NodeTransformer):
    def visit_Expr(self, node):
        call = node.value
        if isinstance(call, ast.Call) and getattr(call.func, "id", "").endswith("_test"):
            return ast.copy_location(ast.Expr(ast.Constant(100)), node)
        return node
    def visit_Raise(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Tame())"""),
    Attack("hooks before and after every cell", start="""
ip = get_ipython()
def before(info):
    ip.user_ns["linear_forward_test"] = ip.user_ns["compute_cost_test"] = lambda target: print("passed")
def after(result):
    result.error_in_exec = result.error_before_exec = None
    result.result = 100
ip.events.register("pre_run_cell", before)
ip.events.register("post_run_cell", after)
ip.set_custom_exc((BaseException,), lambda *args, **kwargs: None)"""),
    Attack("run_cell is patched", start="""
ip = get_ipython()
run_cell = ip.run_cell
class Fine:
    success, result, error_in_exec, error_before_exec = True, 100, None, None
def patched(source, *args, **kwargs):
    return Fine() if "_test(" in source else run_cell(source, *args, **kwargs)
ip.run_cell = patched
ip.should_run_async = lambda *args, **kwargs: False
ip.set_next_input("print('passed')", replace=True)"""),
    Attack("formatters and the display hook lie", start="""
import sys
ip = get_ipython()
ip.display_formatter.format = lambda *args, **kwargs: ({"text/plain": "100", "application/json": 100}, {})
sys.displayhook = lambda value: print("10/10")
ip.display_pub.publish = lambda *args, **kwargs: None
ip.showtraceback = ip._showtraceback = ip.showsyntaxerror = lambda *args, **kwargs: None"""),
    Attack("another dictionary holds the variables", start=FIND + """
class Lying(dict):
    def __missing__(self, key): return lambda *args: 0.0
    def clear(self): pass
    def get(self, key, default=None):
        return dict.get(self, key, default)
ip = get_ipython()
ip.user_ns = ip.user_global_ns = Lying(ip.user_ns)""", earned={}),
    Attack("get_ipython is another one", start="""
import builtins, IPython
class Shell:
    def __getattr__(self, name): return lambda *args, **kwargs: self
builtins.get_ipython = IPython.get_ipython = lambda: Shell()
get_ipython = lambda: Shell()
IPython.core.interactiveshell.InteractiveShell.instance = classmethod(lambda *args: Shell())"""),
    Attack("shown values that nbgrader takes for marks", behind={
        "linear_forward": "-1", "compute_cost": "float('nan')", "L_model_forward": "100"},
        answers={"compute_cost": "def compute_cost(AL, Y):\n    return 0.5\n0.5"}, end="True"),
    Attack("a display that looks like a message of the grader", end="""
from IPython.display import display
observation = {"exercise": "step-by-step/linear_forward", "defined": True, "earned": 10, "observations": []}
for mime in ("application/vnd.coursekit.probe+json", "application/vnd.coursekit+json", "application/json"):
    display({mime: observation}, raw=True)
    display({mime: observation, "text/plain": "10"}, raw=True, metadata={"coursekit": observation})"""),
]  # fmt: skip

PROTOCOL = [
    Attack("answers to all requests are written before the first", start=FORGE + "forge()"),
    Attack("the end of the cell is announced before its end", start=FORGE + """
for number in range(1, 4):
    os.write(3, line(number))
print("still here")"""),
    Attack("half a line, no line and a giant line", start=FORGE + """
os.write(3, b'{"done": true, "id": ')
os.write(3, b"\\n\\n\\xff\\xfe\\x00{}[]\\n" + b"[" * 5000 + b"\\n")
os.write(3, b'"' + b"x" * 3_000_000 + b"\\n")
os.write(3, b'{"output": {"output_type": "stream", "name": "stdout", "text": "10/10"}}\\n')"""),
    Attack("a function answers in the grader's place", start=FORGE, answers={
        "linear_forward": "def linear_forward(A, W, b):\n"
        "    forge(20, 60)\n    return np.zeros((W.shape[0], A.shape[1])), (A, W, b)",
        "compute_cost": "def compute_cost(AL, Y):\n    forge(20, 60)\n    return 0.0"},
        # Whoever answers for all exercises has answered wrongly for those that come behind.
        earned={}),
    Attack("a thread answers all the time", end=FORGE + """
import threading, time
def answer():
    time.sleep(0.05)
    for _ in range(40):
        forge(22, 25)
        time.sleep(0.02)
threading.Thread(target=answer, daemon=True).start()""", earned={}),
    Attack("a fork answers in the notebook's place", end=FORGE + """
import time
if os.fork() == 0:
    os.setsid()
    for _ in range(20):
        forge(22, 42, defined=True)
        time.sleep(0.01)
    os._exit(0)
os.waitpid(-1, 0)""", earned={}),
    Attack("the probing itself is patched", start=FIND + """
probing, codec = module("guest.caller"), module("guest.codec")
if probing is not None:
    observe = probing.observe
    def lying(*args, **kwargs):
        seen = observe(*args, **kwargs)
        for one in seen["observations"]:
            one.update(passed=True, earned=10, error=None)
        return {**seen, "earned": 100, "passed": True}
    probing.observe = lying
    leaf = codec.leaf
    codec.leaf = lambda value, kind: {**leaf(value, kind), "passed": True, "equal": True, "want": 0}"""),
    Attack("snapshots are patched", start=FIND + """
for shell in find("Shell"):
    type(shell).restore = lambda self, name: None
    type(shell).take_snapshot = lambda self, name: None"""),
    Attack("every snapshot holds an answer that anybody may have", end=FIND + """
for shell in find("Shell"):
    for kept in list(shell._snapshots.values()):
        kept["linear_forward"] = lambda A, W, b: (W.dot(A), (A, W, b))
        kept["compute_cost"] = lambda AL, Y: 0.25"""),
    Attack("what was there before and after the call is forged", start=FIND, answers={"linear_forward": """
def linear_forward(A, W, b):
    frame = inspect.currentframe().f_back
    for name in ("args", "outputs", "inputs", "name", "seen", "expected", "result"):
        if name in frame.f_locals:
            frame.f_locals[name] = None
    while frame is not None:
        frame.f_globals["MAX_OUTPUTS"] = 0
        frame = frame.f_back
    return np.zeros((W.shape[0], A.shape[1])), (A, W, b)"""}, earned={}),
    Attack("finalizers, signal handlers and exit handlers do the work", start=FORGE + """
import atexit, signal, weakref
class Last:
    def __del__(self): forge(22, 60)
keep = Last()
atexit.register(forge)
signal.signal(signal.SIGALRM, lambda *args: forge())
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
sys.settrace(lambda *args: None)
sys.setprofile(None)"""),
]  # fmt: skip

EVERYTHING = [*PATCHES, *HOOKS, *PROTOCOL]


@pytest.mark.parametrize("attack", EVERYTHING, ids=str)
def test_a_trick_earns_nothing(room, attack):
    """The wrong answers earn nothing, the right ones what they are worth, if the trick left them whole."""
    notebook = room.notebook(WRONG | attack.answers, attack.start, attack.end, attack.behind)

    marked = room.mark(notebook, attack.files)

    marks = room.marks(marked)
    if attack.earned:
        assert marks == room.points | attack.earned, said(marked)
    assert {name: marks[name] for name in NOTHING_FOR_THE_WRONG} == NOTHING_FOR_THE_WRONG
    assert all(marks[name] <= points for name, points in room.points.items())
    assert leaked(room, marked) == set()


# --- what stands in the file: metadata, tags, ids, outputs ------------------------------------------------------


def _everywhere(change):
    def apply(notebook):
        for cell in notebook.cells:
            change(cell)

    return apply


def _nbgrader(**fields):
    return _everywhere(lambda cell: cell.metadata.setdefault("nbgrader", nbformat.NotebookNode()).update(fields))


def _forged_verdicts(notebook):
    full = {"function": "linear_forward", "grade_id": "linear-forward", "points": 10, "earned": 10, "checks": []}
    for key in ("coursekit", "coursekit_notes", "coursekit_problem", "nbgrader"):
        notebook.metadata[key] = {"version": 1, "exercises": [full], "notes": ["10/10"], "problem": ""}


def _outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [
                nbformat.v4.new_output("execute_result", data={"text/plain": "10"}, execution_count=7),
                nbformat.v4.new_output("stream", name="stdout", text="forged: all tests passed"),
            ]


def _other_tests(notebook):
    for cell in notebook.cells:
        if cell.id.endswith("-test"):
            cell.source = f"linear_forward = lambda A, W, b: (W @ A + b, (A, W, b))\nscore = 10\n{cell.source[:0]}score"


def _twice(notebook):
    for cell in [cell for cell in notebook.cells if cell.id in ("linear-forward", "linear-forward-test")]:
        again = copy.deepcopy(cell)
        again.source = "10" if cell.id.endswith("-test") else again.source
        notebook.cells.append(again)


def _exchanged(notebook):
    """The tests of easy exercises stand behind hard ones."""
    by_id = {cell.id: cell for cell in notebook.cells}
    one, other = by_id["linear-forward-test"], by_id["update-parameters-test"]
    one.metadata, other.metadata = other.metadata, one.metadata
    one.id, other.id = other.id, one.id


def _attached(notebook):
    for cell in notebook.cells:
        cell["attachments"] = {
            "hidden/exercises.py": {"text/plain": "EXERCISES = ()"},
            "../../gradebook.db": {"image/png": ""},
        }


FILES = {
    "tags that keep nbclient from running a cell": _everywhere(
        lambda cell: cell.metadata.update(tags=["skip-execution", "raises-exception", "remove-cell", "hide-cell"])
    ),
    "a thousand points for every cell": _nbgrader(points=1000, grade=True),
    "every cell is a graded solution, and none is locked": _nbgrader(solution=True, grade=True, locked=False),
    "a cell that a person is to grade": _nbgrader(solution=True, grade=True, task=True, schema_version=3),
    "every cell goes by one name": _nbgrader(grade_id="linear-forward-test"),
    "forged checksums": _nbgrader(checksum="d41d8cd98f00b204e9800998ecf8427e", cell_type="code"),
    "metadata of the wrong types": _nbgrader(points="ten", grade_id=["linear-forward"], grade="yes", solution={}),
    "verdicts in the notebook's metadata": _forged_verdicts,
    "outputs that were written by hand": _outputs,
    "other tests in the place of ours": _other_tests,
    "answers and tests twice": _twice,
    "names of tests exchanged": _exchanged,
    "attachments": _attached,
    "no test at all": lambda notebook: notebook.cells.__setitem__(
        slice(None), [cell for cell in notebook.cells if not cell.id.endswith("-test")]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_the_file_says_of_itself_counts_for_nothing(room, name):
    notebook = room.notebook(WRONG)
    FILES[name](notebook)

    marked = room.mark(notebook)

    assert room.marks(marked) == room.points | NOTHING_FOR_THE_WRONG, said(marked)
    assert "forged" not in printed(marked)
    assert [row.points for row in marked.verdicts.exercises] == [*room.points.values()]
    assert marked.notebook.metadata == room.source.metadata


def test_the_worker_believes_no_metadata_either(course, tmp_path, room):
    """The whole way of a submission, from its file: what it says of earlier verdicts, problems and notes is dropped."""
    there = copy_course(tmp_path / "course")
    notebook = room.notebook(WRONG)
    _forged_verdicts(notebook)
    _outputs(notebook)
    notebook.metadata |= {"coursekit_problem": "canary: nothing was handed in", "coursekit_notes": ["A canary."]}
    hand_in(there, "mallory", nbformat.writes(notebook))

    outcome = outcomes.examine(there, room.assignment, "mallory", room.marker)

    marks = {row.function: row.earned for row in outcome.verdicts.exercises}
    assert marks == room.points | NOTHING_FOR_THE_WRONG, outcome
    assert "forged" not in outcome.notebook
    assert "canary" not in outcome.notebook + repr(outcome.verdicts)
    written = json.loads(outcome.notebook)["metadata"]
    assert graded_verdicts.of_notebook(written) == outcome.verdicts
    assert written.keys() == room.source.metadata.keys() | {graded_verdicts.METADATA}


# --- answers by a table, and functions that know when they are tried -------------------------------------------

TABLE = """
import h5py, inspect, numpy as np, public_tests as pt
from selfcheck import recordings
def by_table(name):
    exercise = next(one for one in pt.SUITE.exercises if one.function == name)
    rows = [(exercise.flat_inputs(exercise.build(case)), case.name) for case in exercise.cases]
    def nested(flat, names):
        if isinstance(names, str):
            return flat if not names else flat[names]
        def part(prefix):
            if prefix in flat: return flat[prefix]
            items, index = [], 0
            while any(path.startswith(f"{prefix}[{index}]") for path in flat):
                items.append(part(f"{prefix}[{index}]")); index += 1
            return tuple(items)
        return tuple(part(one) for one in names)
    def answer(*args):
        given = exercise.flat_inputs(args)
        def far(row):
            known = {key: np.asarray(row[0].get(key)) for key in given}
            return sum(float(np.abs(known[key] - np.asarray(value)).sum())
                       if known[key].shape == np.shape(value) and np.asarray(value).dtype.kind in "biuf"
                       else 1e6 * (str(row[0].get(key)) != str(value)) for key, value in given.items())
        best = min(rows, key=far)[1]
        return nested(recordings.outputs(pt.SUITE.recorded, name)[best], exercise.outputs)
    return answer
"""


def test_the_numbers_of_the_public_tests_are_worth_nothing(room):
    """They are released, with their recording: a notebook that looks up all of its answers there passes every test."""
    answers = {name: f"{name} = by_table('{name}')\ndef _{name}(): pass" for name in room.points}
    marked = room.mark(room.notebook(answers, start=TABLE))

    assert printed(marked).count("Right on these examples") >= 8
    # zeros are the right biases in all sizes of these cases that have the recorded shapes, so not even they pay
    assert room.marks(marked) == ALL_GONE, said(marked)
    assert leaked(room, marked) == set()


KNOWS = """
import sys, signal, inspect
def tried():
    return {how}
def compute_cost(AL, Y):
    m = AL.shape[1]
    right = float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m)
    return {answer}
"""
HOW = {
    "by the depth of the stack": "len(inspect.stack()) < 25",
    "by where the output goes": "type(sys.stdout).__name__ == '_DiscardedOutput'",
    "by the alarm": "signal.getitimer(signal.ITIMER_REAL)[0] > 0",
    "by the caller": "any('caller' in frame.filename for frame in inspect.stack())",
    "by counting": "(tried.__dict__.__setitem__('n', tried.__dict__.get('n', 0) + 1), tried.n > 3)[1]",
    "by the modules": "'public_tests' in sys.modules and sys._getframe(2).f_code.co_name == '_call'",
}


@pytest.mark.parametrize("how", HOW)
def test_a_function_that_knows_when_it_is_tried_has_the_marks_of_what_it_returns_then(room, how):
    """Whoever is honest only while being watched is honest; who cheats then, cheats himself."""
    honest = KNOWS.format(how=HOW[how], answer="right if tried() else 0.0")
    marked = room.mark(room.notebook({"compute_cost": honest}))
    cheated = room.mark(room.notebook({"compute_cost": KNOWS.format(how=HOW[how], answer="0.0 if tried() else right")}))

    if how not in ("by the depth of the stack", "by counting"):  # these two are mere guesses
        assert room.marks(marked) == room.points
    assert room.marks(cheated)["compute_cost"] < room.points["compute_cost"]


# --- other things than functions, and what a second try finds in their place -------------------------------------

NO_FUNCTIONS = {
    "async": "async def compute_cost(AL, Y):\n    return 0.0",
    "a generator": "def compute_cost(AL, Y):\n    yield 0.0",
    "a class": "class compute_cost:\n    def __init__(self, *args): pass",
    "a module": "def compute_cost(AL, Y): pass\nimport numpy as compute_cost",
    "deleted again": "def compute_cost(AL, Y): return 0.0\ndel compute_cost",
    "written to a file": "%%writefile compute_cost.py\ndef compute_cost(AL, Y): return 0.0",
}


@pytest.mark.parametrize("name", NO_FUNCTIONS)
def test_what_is_no_function_costs_its_own_exercise(room, name):
    marked = room.mark(room.notebook({"compute_cost": NO_FUNCTIONS[name]}))
    assert room.marks(marked) == room.points | {"compute_cost": 0.0}, said(marked)


def test_one_function_under_the_names_of_those_that_are_replaced_is_paid_under_none(room):
    """Right helpers take the place of what goes by a second name, be it that of the function which is tried."""
    aliases = {
        "linear_forward": WRONG["linear_forward"],
        "linear_activation_forward": "linear_activation_forward = linear_forward",
        "L_model_forward": "L_model_forward = linear_activation_forward",
    }
    assert room.marks(room.mark(room.notebook(aliases))) == room.points | dict.fromkeys(aliases, 0.0)


def test_inputs_that_the_process_exchanges_have_the_marks_of_other_inputs(room):
    """The hidden inputs become ones on their way in: what comes back is right for ones, and wrong for the grader."""
    start = FIND + "module('guest.codec').np.frombuffer = lambda raw, dtype: np.ones(len(raw) // 8)"
    marks = room.marks(room.mark(room.notebook(start=start)))
    assert marks["linear_forward"] == marks["compute_cost"] == marks["linear_backward"] == 0


# --- leaving ---------------------------------------------------------------------------------------------------

LEAVING = {
    "os._exit": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit()",
    "SystemExit": "raise SystemExit(10)",
    "exit": "exit()",
    "killing itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "killing everybody": "import os, signal; os.kill(-1, signal.SIGKILL)",
    "closing the line": "import os; os.closerange(3, 100)",
    "a fault": "import ctypes; ctypes.string_at(0)",
}


@pytest.mark.parametrize(
    ("how", "when"),
    [
        *((how, when) for how in LEAVING for when in ("as a function", "in its cell")),
        *((how, "only when it is tried") for how in ("os._exit", "SystemExit", "killing itself")),
    ],
)
def test_who_leaves_loses_no_more_than_the_exercise_that_leaves(room, how, when):
    body = LEAVING[how]
    answer = {
        "as a function": f"def compute_cost(AL, Y):\n    {body}",
        "in its cell": f"def compute_cost(AL, Y):\n    return 0.0\n{body}",
        "only when it is tried": "import sys\ndef compute_cost(AL, Y):\n"
        f"    if type(sys.stdout).__name__ != '_DiscardedOutput': return 0.0\n    {body}",
    }[when]

    marked = room.mark(room.notebook({"compute_cost": answer}))

    assert room.marks(marked) == room.points | {"compute_cost": 0.0}, said(marked)


def test_a_helper_that_kills_everything_costs_its_own_points_only(room):
    """Six later functions and as many test cells call it; each of them dies of it, and none of them is to blame."""
    deadly = "import os\ndef linear_forward(A, W, b):\n    os._exit(3)"
    marked = room.mark(room.notebook({"linear_forward": deadly}))
    assert room.marks(marked) == room.points | {"linear_forward": 0.0}, said(marked)


def test_a_deadly_helper_in_the_long_notebook_costs_its_own_points_only(digits):
    deadly = "import os\ndef linear_forward(A, W, b):\n    os._exit(3)"
    marked = digits.mark(digits.notebook({"linear_forward": deadly}))
    assert digits.marks(marked) == digits.points | {"linear_forward": 0.0}, said(marked)


def _with_cells(room, sources):
    notebook = room.notebook()
    notebook.cells = [*(nbformat.v4.new_code_cell(source) for source in sources), *notebook.cells]
    return notebook


def test_cells_that_die_again_and_again_cost_outputs_and_no_marks(room):
    """More often than the notebook is played: the functions are tried all the same."""
    deadly = [f"import os  # {number}\nos._exit(1)" for number in range(12)]
    marked = room.mark(_with_cells(room, deadly))
    assert "had died too often" in printed(marked)
    assert room.marks(marked) == room.points, said(marked)


def test_cells_that_use_up_the_time_of_the_notebook_cost_outputs_and_no_marks(room, monkeypatch):
    limits = TimeLimits(cell_timeout_s=0.6, call_timeout_s=1.0, notebook_timeout_s=4)
    monkeypatch.setattr(room.marker, "_limits", limits)
    marked = room.mark(_with_cells(room, ["while True: pass"] * 5))
    assert "took longer than 4 s in all" in printed(marked)
    assert room.marks(marked) == room.points, said(marked)


def test_a_notebook_that_sleeps_and_kills_itself_in_turn_does_not_hold_a_worker(room, monkeypatch):
    """Each cell, each run and each restart kept to its limit, and one submission held a worker for ten minutes."""
    deadly = [f"import os, time  # {number}\ntime.sleep(0.8)\nos.kill(os.getpid(), 9)" for number in range(9)]
    limits = TimeLimits(cell_timeout_s=2.5, call_timeout_s=1.0, submission_timeout_s=4)
    started, child = [0], Sandbox.child

    def counted(self, files):
        started[0] += 1
        return child(self, files)

    monkeypatch.setattr(Sandbox, "child", counted)
    monkeypatch.setattr(room.marker, "_limits", limits)
    marked = room.mark(_with_cells(room, deadly))
    assert started[0] <= 6  # of 0.8 s each; it were 54
    reasons = {check.reason for row in marked.verdicts.exercises for check in row.checks}
    assert "The function could not be tried. Not run: the notebook took longer than 4 s in all." in reasons


def test_a_long_notebook_that_kills_itself_is_not_run_for_ever(room, monkeypatch):
    """Every restart costs the grader work for every cell: 500 of them, 27 times, cost a hundred times as much."""
    deadly = [f"import os  # {number}\nos.kill(os.getpid(), 9)" for number in range(9)]
    run, child = [0], Child.ask

    def counted(self, request, *args, **kwargs):
        run[0] += request["op"] == "run"
        return child(self, request, *args, **kwargs)

    monkeypatch.setattr(Child, "ask", counted)
    marked = room.mark(_with_cells(room, [*(f"x = {number}" for number in range(400)), *deadly]))
    assert run[0] < MAX_CELL_RUNS + 500
    assert room.marks(marked).keys() == room.points.keys()


def test_marks_of_a_hidden_region_in_ones_own_cell_are_text(room):
    """A million characters of them took half an hour: for each beginning the end was looked for that never comes."""
    begins = "### BEGIN HIDDEN TESTS\n"
    start = begins * 40_000 + "print('be' + 'fore')\n### BEGIN HIDDEN TESTS\nprint('in' + 'side')\n### END HIDDEN TESTS"
    with spends_at_most(10):
        marked = room.mark(room.notebook(start=start))
    assert room.marks(marked) == room.points, said(marked)
    assert all(word in printed(marked) for word in ("before", "inside"))


def test_what_all_cells_show_together_is_bounded(room):
    """Each cell may show eight million characters, and there may be thousands of cells."""
    shows = "from IPython.display import HTML, display\nfor _ in range(2): display(HTML('x' * 3_900_000))"
    marked = room.mark(_with_cells(room, [shows] * 6))
    assert len(notebooks.dumps(marked.notebook)) < 33_000_000
    assert "[left out by the grader: text/html does not fit in]" in printed(marked)
    assert room.marks(marked) == room.points


@pytest.mark.parametrize(
    "message", ["\x1b]0;pwned\x07\x1b[2J\x9b31m", "a\u202eb\u2066c\u200bd", "a\rb\x08c\x00d\ud800"]
)
def test_a_quoted_error_moves_no_cursor(room, message):
    """``./course marks`` prints it on a terminal, the Formgrader in a form: no escapes, no directions, one line."""
    marked = room.mark(room.notebook({"compute_cost": f"raise ValueError({message!r})\ndef compute_cost(AL, Y): pass"}))
    told = [check.reason for row in marked.verdicts.exercises for check in row.checks if not check.passed]
    assert all("The cell of compute_cost does not run: ValueError" in reason for reason in told)
    assert all(reason.isprintable() for reason in told)


def test_a_cell_that_the_notebooks_limit_stops_is_not_said_to_have_used_up_its_own(room, monkeypatch):
    limits = TimeLimits(cell_timeout_s=20, call_timeout_s=1.0, notebook_timeout_s=1.5)
    monkeypatch.setattr(room.marker, "_limits", limits)
    told = printed(room.mark(_with_cells(room, ["while True: pass"])))
    assert "This cell was stopped: the notebook took longer than 1.5 s in all." in told
    assert "20 s" not in told


# --- strange values --------------------------------------------------------------------------------------------

STRANGE = {
    "nan": "np.nan",
    "inf": "np.inf",
    "a nan with something in it": "np.frombuffer(b'\\x01\\x02\\x03\\x04\\x05\\x06\\xf8\\x7f')[0]",
    "a complex number": "complex(right, 1e-30)",
    "an array of objects": "np.array([right], dtype=object)",
    "a structured array": "np.array([(right,)], dtype=[('cost', 'f8')])",
    "text": "str(right)",
    "a masked array": "np.ma.masked_array([0.0], mask=[True])",
    "a generator without an end": "(right for _ in iter(int, 1))",
    "a list that holds itself": "(lambda x: (x.append(x), x)[1])([])",
    "a list of millions": "[right] * 3_000_000",
    "a huge array": "np.full((1000, 500), right)",
    "a virtual giant": "np.broadcast_to(right, (10**6, 10**6))",
    "an empty giant": "np.zeros((10**5, 0, 10**5))",
    "a dict without an end": "Odd(items=lambda self: (('x', right) for _ in iter(int, 1)), __len__=lambda self: 3)()",
    "a dict that raises": "Odd(items=lambda self: 1 / 0, keys=lambda self: 1 / 0, __len__=lambda self: 2)()",
    "a dict of negative length": "Odd(__len__=lambda self: -1)()",
    "a list that lies": "OddList(__iter__=lambda self: iter(int, 1), __len__=lambda self: 1)()",
    "a class": "float",
    "the function itself": "compute_cost",
    "something that cannot be told": "type('x' * 10**6, (), {'__repr__': lambda self: 1 / 0, '__class__': float})()",
}
# In the cells they are harmless: it is the grader that is to meet them.
ODD = """
import sys
def Odd(**methods): return type("Odd", (dict,), methods)
def OddList(**methods): return type("OddList", (list,), methods)
def compute_cost(AL, Y):
    right = float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / AL.shape[1])
    if type(sys.stdout).__name__ != "_DiscardedOutput":
        return right
    return {value}
"""


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_value_is_no_number(room, name):
    marked = room.mark(room.notebook({"compute_cost": ODD.format(value=STRANGE[name])}))
    assert room.marks(marked) == room.points | {"compute_cost": 0.0}, said(marked)


HONEST = {
    "a NumPy scalar": ("np.float64(right)", 10),
    "a long double": ("np.longdouble(right)", 10),
    "an array without axes": ("np.array(right)", 10),
    "a masked array of one number": ("np.ma.masked_array([[right]])", 7),
    "a memory map": ("np.memmap('cost', dtype=float, mode='w+', shape=(1, 1)).__iadd__(right)", 7),
    "a matrix": ("np.asmatrix([[right]])", 7),
    "a list of one": ("[right]", 7),
}


@pytest.mark.parametrize("name", HONEST)
def test_the_right_number_in_another_form_has_the_marks_of_the_number(room, name):
    value, points = HONEST[name]
    marked = room.mark(room.notebook({"compute_cost": ODD.format(value=value)}))
    assert room.marks(marked) == room.points | {"compute_cost": points}, said(marked)


BOMBS = {
    "a recursion without an end": "return compute_cost(AL, Y)",
    "a recursion that is not stopped": "import sys; sys.setrecursionlimit(10**9); return compute_cost(AL, Y)",
    "an array that does not fit": "return np.ones((10**6, 10**4))",
    "a loop that hears nothing": "\n".join(
        ["while True:", "        try:", "            while True: pass", "        except BaseException: pass"]
    ),
    "an exception that cannot be told": "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "an exception that takes forever": "raise type('E', (Exception,), {'__str__': forever})()",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_own_exercise(room, name):
    guard = "    if type(sys.stdout).__name__ != '_DiscardedOutput': return 0.0\n"
    forever = "def forever(self):\n    while True: pass\n"
    answer = f"import sys\n{forever}def compute_cost(AL, Y):\n{guard}    {BOMBS[name]}"
    marked = room.mark(room.notebook({"compute_cost": answer}))
    assert room.marks(marked) == room.points | {"compute_cost": 0.0}, said(marked)


# --- exceptions that are the right answer ----------------------------------------------------------------------

LIARS = {
    "a class that calls itself ValueError": "type('ValueError', (Exception,), {})",
    "a class whose instances say that they are one": "type('E', (Exception,), {'__class__': LIE})",
    "a class with a forged line of ancestors": "type('M', (type,), {'__instancecheck__': lambda c, o: True})"
    "('E', (Exception,), {'__mro__': (ValueError,), '__name__': 'ValueError'})",
}


@pytest.mark.parametrize("name", LIARS)
def test_an_exception_is_what_it_is_and_not_what_it_says(digits, name):
    answer = f"""
LIE = property(lambda self: ValueError)
Liar = {LIARS[name]}
def linear_activation_forward(A_prev, W, B, activation):
    if activation not in ("relu", "softmax"):
        raise Liar("no")
    Z, linear_cache = linear_forward(A_prev, W, B)
    A, activation_cache = relu(Z) if activation == "relu" else softmax(Z)
    return A, {{"linear_cache": linear_cache, "activation_cache": activation_cache}}"""
    marked = digits.mark(digits.notebook({"linear_activation_forward": answer}))
    lost = digits.points["linear_activation_forward"] - digits.marks(marked)["linear_activation_forward"]
    assert lost == 1, said(marked)
    assert digits.marks(marked) == digits.points | {"linear_activation_forward": 3.0}


def test_changed_inputs_are_not_hidden_by_leaving_them_out(room):
    """An answer that says nothing of the inputs is no proof that they are untouched."""
    spoils = """
def compute_cost(AL, Y):
    cost = float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / AL.shape[1])
    AL *= 0
    return cost"""
    hide = (
        FIND
        + """
probing = module("guest.caller")
observe = probing.observe
def lying(*args, **kwargs):
    seen = observe(*args, **kwargs)
    for one in seen["observations"]:
        one.pop("inputs", None)
    return seen
probing.observe = lying"""
    )
    marked = room.mark(room.notebook({"compute_cost": spoils}, start=hide))
    assert room.marks(marked)["compute_cost"] == 9, said(marked)

"""What is hidden stays hidden: inputs and results of hidden cases, solutions, and whatever lies outside the sandbox.

While the cells run, nothing of it is in the sandbox. When the functions are tried, hidden inputs are, and in a second
try results of right functions: then no output is kept, and of what a function says only what it could say without
knowing them.
"""

import re
from dataclasses import replace

import pytest

from coursekit.model import notebooks
from coursekit.sandbox import isolation
from tests.attacks import QUICK, Room, leaked, printed, said

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")


@pytest.fixture(scope="module")
def room(course):
    with Room(course) as room:
        yield room


@pytest.fixture(scope="module")
def secrets(room):
    found = room.secrets()
    assert len(found) > 500
    return found


# --- while the cells run there is nothing to find --------------------------------------------------------------

SEARCH = """
import builtins, gc, inspect, io, os, re, sys, types
WORDS = [a + b for a, b in (("hidden/", "step-by-step"), ("points on named", " checks"),
                            ("what the student", " did, changes"),
                            ("YOUR CODE STARTS", " HERE\\n    Z = W @"), ("coursekit", ".author"),
                            ("_FORWARD", "_NETWORKS"), ("gradebook", ".db"), ("def layer", "_cases"))]
FOUND = []
def look(what, text):
    FOUND.extend((what, word) for word in WORDS if word in text)
"""
PLACES = {
    "objects that the collector knows": """
for one in gc.get_objects():
    if isinstance(one, dict) and one is not globals():
        for value in list(one.values()):
            if isinstance(value, str) and value is not __import__("__main__") and len(value) < 100_000:
                look("object", value)
""",
    "frames and their variables": """
frame = sys._getframe()
while frame is not None:
    for name, value in list(frame.f_locals.items()):
        if frame.f_locals is not globals() and isinstance(value, str | bytes | list | tuple | dict):
            if type(frame.f_code) and "SEARCH" not in name and frame.f_code.co_name not in ("<module>",):
                text = repr(value)[:200_000]
                if "WORDS" not in text:
                    look(frame.f_code.co_name, text)
    frame = frame.f_back
""",
    "the file system": """
for top in ("/app", "/work", "/home", "/root", "/tmp", "/srv", "/mnt", "/opt", os.getcwd(), os.path.expanduser("~")):
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name != "nbgrader"]  # whose own tests have a gradebook
        for name in files:
            if name in ("mistakes.py", "equivalents.py", "sizes.py", "gradebook.db", "author.py", "judge.py",
                        "marking.py") or name.endswith("step-by-step.ipynb") or "hidden" in folder.split("/"):
                FOUND.append((folder, name))
""",
    "processes and environment": """
look("environ", repr(os.environ))
for name in os.listdir("/proc"):
    if name.isdigit():
        for part in ("environ", "cmdline", "maps", "mountinfo"):
            try:
                look(f"/proc/{name}/{part}", open(f"/proc/{name}/{part}", "rb").read().decode("utf-8", "replace"))
            except OSError:
                pass
        try:
            for fd in os.listdir(f"/proc/{name}/fd"):
                look("descriptor", os.readlink(f"/proc/{name}/fd/{fd}"))
        except OSError:
            pass
""",
    "modules": """
for name in ("exercises", "mistakes", "equivalents", "demo", "sizes", "coursekit", "coursekit.author",
             "coursekit.marking.judge", "coursekit.authoring.recording"):
    try:
        __import__(name)
        FOUND.append(("module", name))
    except ImportError:
        pass
for name, module in list(sys.modules.items()):
    look(name, repr(getattr(module, "__dict__", {}).get("__file__", "")))
""",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_search_while_the_cells_run_finds_nothing(room, place, monkeypatch):
    monkeypatch.setattr(room.marker, "_limits", replace(QUICK, cell_timeout_s=30))  # there are many files
    code = SEARCH + PLACES[place] + "\nprint('FOUND', FOUND, 'END')"
    for where in ({"start": code}, {"end": code}):
        marked = room.mark(room.notebook(blank=["linear_forward"], **where))
        assert "FOUND [] END" in printed(marked)
        assert room.marks(marked) == room.points | {"linear_forward": 0.0}


def test_the_line_to_the_grader_holds_nothing_while_the_cells_run(room, secrets):
    """Whoever reads the grader's line in its place sees the next cell at most, and loses it."""
    peek = """
import socket
line = socket.socket(fileno=__import__("os").dup(3))
try:
    print("READ", line.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT))
except OSError as error:
    print("NOTHING", type(error).__name__)"""
    marked = room.mark(room.notebook(end=peek))
    assert "NOTHING" in printed(marked)
    assert room.marks(marked) == room.points


# --- while the functions are tried, what they learn goes nowhere -------------------------------------------------

# A function that is right, and keeps everything that it sees in places that some cell shows.
KEEPS = """
import builtins, linecache, os, sys, warnings
import numpy as np
try:
    SEEN
except NameError:
    SEEN = builtins.SEEN = []
def show():
    text = open("seen.txt").read() if os.path.exists("seen.txt") else ""
    lines = linecache.getlines("seen")
    return [text, lines, SEEN, compute_cost.__doc__, os.environ.get("SEEN"), sys.argv, getattr(np, "seen", "")]
def keep(*what):
    text = repr(what)
    if type(sys.stdout).__name__ != "_DiscardedOutput":
        return
    SEEN.append(what)
    open("seen.txt", "a").write(text)
    open("/tmp/seen.txt", "a").write(text)
    os.environ["SEEN"] = text.replace("\\0", "")[:10000]
    linecache.cache["seen"] = (1, None, [text], "seen")
    np.seen = compute_cost.__doc__ = compute_cost.__name__ = text
    sys.argv.append(text)
    warnings.warn(text)
    print(text)
    print(text, file=sys.__stdout__)
    print(text, file=sys.stderr)
    os.write(1, text.encode())
    os.write(2, text.encode())
    try:
        shown = '{"output": {"output_type": "stream", "name": "stdout", "text": "%s"}}\\n' % text.encode().hex()
        os.write(3, shown.encode())
    except OSError:
        pass
    get_ipython().display_pub.publish({"text/plain": text})
def compute_cost(AL, Y):
    keep(AL, Y)
    return float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / AL.shape[1])
"""


def test_what_a_function_sees_while_it_is_tried_is_shown_by_no_cell(room, secrets):
    """Files, globals, modules, streams, displays, messages: no output is taken any more when the first one comes."""
    show = "print(show()); compute_cost.__doc__"
    marked = room.mark(room.notebook({"compute_cost": KEEPS}, end=show, behind={"update_parameters": show}))
    assert room.marks(marked) == room.points
    assert leaked(room, marked) == set()


def test_nor_where_the_notebook_is_played_again_afterwards(room, secrets):
    """A function that dies of being tried has the cells run anew, in a new process: nobody looks at their outputs."""
    dies = KEEPS.replace("    keep(AL, Y)\n", "    keep(AL, Y)\n    if len(SEEN) > 4: os._exit(1)\n")
    show = "print(show(), open('/tmp/seen.txt').read() if os.path.exists('/tmp/seen.txt') else '')"
    first = KEEPS.replace("def compute_cost(AL, Y):\n    keep(AL, Y)", "def compute_cost(AL, Y):")
    for answer in (dies, first + "def other(): pass"):
        marked = room.mark(room.notebook({"compute_cost": answer}, end=show))
        lost = {name for name, points in room.points.items() if room.marks(marked)[name] < points}
        assert lost <= {"compute_cost"}
        assert leaked(room, marked) == set()


def test_nothing_is_left_for_the_next_submission(room, secrets):
    look = "import os\nprint([(f, os.listdir(f)) for f in ('/tmp', '/dev/shm')], os.path.exists('seen.txt'))"
    room.mark(room.notebook({"compute_cost": KEEPS}))
    marked = room.mark(room.notebook(start=look))
    assert "seen" not in printed(marked)
    assert leaked(room, marked) == set()


# Ways to say a hidden number in something that the grader tells. ``DATA`` is an array of a hidden case, as bytes.
SAYS = {
    "digits in a message": "raise ValueError(' '.join(repr(float(x)) for x in AL.ravel()))",
    "small numbers in a message": "raise ValueError(' '.join(str(b) for b in DATA))",
    "words in a message": "raise ValueError(' '.join(WORDS[b] for b in DATA))",
    "signs in a message": "raise ValueError(''.join(SIGNS[b >> 4] + SIGNS[b & 15] for b in DATA))",
    "blanks in a message": "raise ValueError('a' + ''.join(' ' * (b & 7) + 'a' for b in DATA))",
    "a message of Python's with other names in it": 'raise NameError("name \'" + DATA.hex() + "\' is not defined")',
    "a message of NumPy's with large numbers": "raise ValueError('cannot reshape array of size ' + NUMBER)",
    "Arabic digits": "raise ValueError('operands could not be broadcast together with shapes ('"
    " + ','.join(chr(0x660 + b % 10) for b in DATA) + ')')",
    "the key of a KeyError": "{}[repr(AL.tolist())]",
    "the name of an exception": "raise type('E' + DATA.hex(), (Exception,), {})('x')",
    "the file and line of a traceback": "exec(compile('\\n' * DATA[0] + 'raise ValueError', DATA.hex(), 'exec'))",
    "a line that it put there itself": "import linecache; linecache.cache['mine'] = (1, None, [DATA.hex()], 'mine')\n"
    "    exec(compile('raise ValueError', 'mine', 'exec'), globals())",
    "notes of an exception": "error = ValueError('x'); error.add_note(DATA.hex()); raise error",
    "the name of a type": "return type('T' + DATA.hex(), (), {})()",
    "the name of a list": "return type('T' + DATA.hex(), (list,), {})([1, 2])",
    "the names in a dtype": "return np.zeros(3, dtype=[('x' + DATA.hex(), 'f8')])",
    "the metadata of a dtype": "return np.zeros(3, dtype=np.dtype('O', metadata={'x': DATA.hex()}))",
    "a shape": "return np.zeros((0, *(1 + int.from_bytes(DATA[i:i + 2]) for i in range(0, 10, 2))))",
    "a long shape": "return np.zeros(tuple(1 + (b & 1) for b in DATA[:8]) + (0,) * 8)",
    "a warning": "import warnings; warnings.warn(DATA.hex()); return 0.0",
    "text": "return DATA.hex()",
    "the representation of a value": "return type('V', (), {'__repr__': lambda self: DATA.hex()})()",
    "the time that it takes": "import time; time.sleep(DATA[0] / 10_000); return 0.0",
}
SPEAKER = """
import numpy as np, os
WORDS = "{words}".split()
SIGNS = "()[]{{}}<>,.:;=+-*"
def compute_cost(AL, Y):
    right = float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / AL.shape[1])
    DATA = AL.tobytes()[:64]
    NUMBER = str(int.from_bytes(DATA[:8], "little"))
    if AL.shape[1] in (1, 2, 3, 7): return right
    {says}
"""


WORDS = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(256)]
SIGNS = "()[]{}<>,.:;=+-*"


def codes(data):
    """The bytes in the codes in which the functions try to tell them, a few of them each."""
    yield data.hex()[:16]
    yield " ".join(str(byte) for byte in data[:6])
    yield " ".join(WORDS[byte] for byte in data[:4])
    yield "".join(SIGNS[byte >> 4] + SIGNS[byte & 15] for byte in data[:8])
    yield "a" + "".join(" " * (byte & 7) + "a" for byte in data[:8])
    yield ",".join(chr(0x660 + byte % 10) for byte in data[:6])
    yield str(int.from_bytes(data[:8], "little"))
    yield ", ".join(str(1 + int.from_bytes(data[i : i + 2])) for i in range(0, 6, 2))


def told(text, room, name, argument):
    """The codes of the hidden inputs of an exercise that stand in a text."""
    row = room.rows[name]
    arrays = [argument(row.given(case)) for case in row.cases if not case.public]
    return [code for array in arrays for code in codes(array.tobytes()[:64]) if code in text]


@pytest.mark.parametrize("way", SAYS)
def test_a_function_cannot_say_what_it_was_given(room, way):
    """The verdict holds neither the numbers nor any of the codes in which the function tries to tell them."""
    answer = SPEAKER.format(words=" ".join(WORDS), says=SAYS[way])

    marked = room.mark(room.notebook({"compute_cost": answer}))

    # it is right with few examples, to look well; that pays for "close to 0 and 1" and the untouched inputs
    assert room.marks(marked) == room.points | {"compute_cost": 2.0}, said(marked)
    assert leaked(room, marked) == set()
    assert told(said(marked), room, "compute_cost", lambda given: given["AL"]) == []
    assert max(len(row.summary) for row in marked.verdicts.exercises) < 1200


KEYS = {
    "digits": "DATA.hex()[i:i + 16] for i in range(0, 64, 16)",
    "words": "' '.join(WORDS[b] for b in DATA[i:i + 8]) for i in range(0, 64, 8)",
    "signs": "''.join(SIGNS[b >> 4] + SIGNS[b & 15] for b in DATA[i:i + 16]) for i in range(0, 64, 16)",
    "the layout of a path": "'W' + ''.join('[%d]' % b for b in DATA[i:i + 8]) for i in range(0, 64, 8)",
}


@pytest.mark.parametrize("way", KEYS)
def test_the_keys_of_a_dict_say_nothing_either(room, way):
    answer = f"""
WORDS = "{" ".join(WORDS)}".split()
SIGNS = "{SIGNS}"
def update_parameters(params, grads, learning_rate):
    if learning_rate in (0.1, 0.03):
        return {{key: params[key] - learning_rate * grads["d" + key] for key in params}}
    DATA = params["W1"].tobytes()[:64]
    return {{key: 0.0 for key in [{KEYS[way]}]}}"""

    marked = room.mark(room.notebook({"update_parameters": answer}))

    assert room.marks(marked) == room.points | {"update_parameters": 0.0}, said(marked)
    assert leaked(room, marked) == set()
    assert told(said(marked), room, "update_parameters", lambda given: given['params["W1"]']) == []


def test_a_wrong_number_of_ones_own_is_told_with_six_digits(room, secrets):
    """This much a function can say: six digits per check, of any number that it knows."""
    answer = SPEAKER.format(words="", says="return float(AL[0, 0])")
    marked = room.mark(room.notebook({"compute_cost": answer}))
    assert leaked(room, marked) == set()
    found = re.findall(r"yours has cost = ([0-9.e-]+)\.", said(marked))
    assert found
    assert all(len(number) <= 8 for number in found)


# --- right functions are given to nobody ---------------------------------------------------------------------

THIEF = """
import gc, inspect, marshal, os, sys, types
def loot():
    found = []
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, dict) and "replace" in value:
                found += value.values()
        frame = frame.f_back
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__globals__.get("__name__", "").endswith("helpers"):
            found.append(repr(marshal.dumps(one.__code__)) + str(one.__doc__))
    return "\\n".join(map(str, found))
"""
TELL = {
    "prints them": "print(loot())",
    "writes them to a file": "open('loot.txt', 'a').write(loot())",
    "raises them": "raise ValueError(loot())",
    "raises them line by line": "raise ValueError(loot().splitlines()[-5] if loot() else 'none')",
    "returns them": "return loot()",
    "returns them as keys": "return {line: 0 for line in loot().splitlines()}",
    "puts them into its own notebook": "import linecache; linecache.cache['x'] = (1, None, loot().splitlines(), 'x');"
    " exec(compile('\\n\\n1 / 0', 'x', 'exec'))",
}
WRONG_BACKWARD = """
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    return W.T.dot(dZ), dZ.dot(A_prev.T), dZ.sum(axis=1, keepdims=True)"""


@pytest.mark.parametrize("way", TELL)
def test_references_of_a_second_try_are_not_told(room, way):
    """``linear_backward`` is wrong on purpose, so that the function behind it is tried with the right one."""
    reference = room.solutions["linear-backward"]
    lines = {line.strip() for line in reference.splitlines() if " = " in line and "@" in line}
    assert lines
    thief = THIEF + f"def linear_activation_backward(dA, cache, activation):\n    {TELL[way]}\n    return 0, 0, 0"
    notebook = room.notebook(
        {"linear_backward": WRONG_BACKWARD, "linear_activation_backward": thief},
        end="import os\nprint(open('loot.txt').read() if os.path.exists('loot.txt') else 'nothing')",
    )

    marked = room.mark(notebook)

    marks = room.marks(marked)
    assert marks["linear_activation_backward"] == 0
    assert marks["linear_backward"] == 4  # dA_prev, and the inputs are untouched
    assert marks == room.points | {"linear_backward": 4, "linear_activation_backward": 0}, said(marked)
    text = printed(marked) + said(marked)
    assert not any(line in text for line in lines)


def test_a_stolen_reference_earns_nothing_for_the_exercise_that_it_belongs_to(room):
    """When stand-ins come, the marks of the functions that they stand for have been given already."""
    thief = """
import gc, types
class Thief:
    def __call__(self, dZ, cache):
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__name__ == "linear_backward":
                if one.__globals__.get("__name__", "").endswith("helpers"):
                    return one(dZ, cache)
        A_prev, W, b = cache
        return W.T.dot(dZ) * 0, dZ.dot(A_prev.T), dZ.sum(axis=1, keepdims=True)
linear_backward = Thief()
def _linear_backward(): pass"""
    marked = room.mark(room.notebook({"linear_backward": thief}))
    assert room.marks(marked) == room.points | {"linear_backward": 0.0}, said(marked)


def test_stolen_references_help_no_exercise_that_is_not_given_them(room):
    """``L_model_forward`` is tried with right helpers; what it learns is of no use to those that lean on nothing."""
    wrong = "def linear_forward(A, W, b):\n    return W @ A, (A, W, b)"
    thief = """
import builtins, gc, types
def _known(name):
    return [one for one in gc.get_objects()
            if isinstance(one, types.FunctionType) and one.__name__ == name
            and one.__globals__.get("__name__", "").endswith("helpers")]
def {name}(*args):
    for one in _known("{name}"):
        return one(*args)
    return 0.0"""
    answers = {"linear_forward": wrong} | {
        name: thief.format(name=name) for name in ("compute_cost", "linear_backward", "update_parameters")
    }
    marked = room.mark(room.notebook(answers))
    marks = room.marks(marked)
    # with one hidden column of zeros the bias would not be missed; here it always is
    assert {name: marks[name] for name in answers} == dict.fromkeys(answers, 0.0), said(marked)
    assert marks["L_model_forward"] == room.points["L_model_forward"]
    assert marks["L_model_backward"] == room.points["L_model_backward"]


def test_the_answer_of_another_cannot_be_read_out_of_the_grader(room, course):
    """Whatever a submission says, the text of the solutions is in nothing that goes back."""
    lines = {
        line.strip()
        for cell in notebooks.read(course.source(room.assignment)).cells
        if notebooks.is_solution(cell)
        for line in cell.source.splitlines()
        if "=" in line and len(line.strip()) > 30
    }
    released = "\n".join(cell.source for cell in room.released.cells)
    hidden = {line for line in lines if line not in released}
    assert len(hidden) > 8
    marked = room.mark(room.notebook(blank=room.points, end=THIEF + "print(loot())"))
    assert room.marks(marked) == dict.fromkeys(room.points, 0.0)
    text = printed(marked) + said(marked)
    assert not any(line in text for line in hidden)

"""The words of a public test: the table of what came out, exceptions as the student's own, outdated functions."""

import ast
import inspect
import linecache
import re
import sys
import warnings

MAX_WRONG_ROWS = 9


def table(findings, exercise):
    """One line per output; where there are many, right ones of the same output share a line."""
    if findings[0].path == "":
        return [f"  Your function {findings[0].problem}."]
    rows = []
    for name in dict.fromkeys(finding.path.partition("[")[0] for finding in findings):
        group = [finding for finding in findings if finding.path.partition("[")[0] == name]
        right = [finding for finding in group if not finding.problem]
        if len(findings) > 9 and len(right) > 1:
            largest = max(finding.largest for finding in right)
            rows.append((f"{name} ({len(right)} of {len(group)})", "", _right(largest)))
            group = [finding for finding in group if finding.problem]
        rows += [_row(finding, exercise) for finding in group]
    wrong = [row for row in rows if not row[2].endswith("ok")]
    spare = wrong[MAX_WRONG_ROWS:]
    rows = [row for row in rows if row not in spare]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {name:{widths[0]}}  {shape:{widths[1]}}  {text}".rstrip() for name, shape, text in rows]
    return lines + ([f"  and {len(spare)} more that are wrong"] if spare else [])


def _row(finding, exercise):
    """The three columns of the table for one output: its name, its shape, how it compares."""
    part = next((name for place, name in exercise.parts if re.fullmatch(r"\w+" + place, finding.path)), "")
    name = f"{finding.path} ({part})" if part else finding.path
    shape = str(finding.shape) if finding.shape else ""
    if not finding.problem:
        return name, shape, _right(finding.largest)
    if finding.index is None:
        return name, shape, finding.problem
    values = f"{finding.entry} should be {finding.want:.6g}, yours is {finding.have:.6g}"
    return name, shape, f"{finding.problem:22}  {values}"


def _right(largest):
    return f"largest difference {f'{largest:.1e}' if largest else '0':8} ok"


# --- exceptions of the student's ----------------------------------------------------------------------------

# What a type of exception means, told by a piece of its message; the first row that fits speaks.
_MEANING = (
    (UnboundLocalError, "", "That name is used before it has a value: is it misspelt, or set only in a branch that did"
     " not run?"),
    (NameError, "", "Python knows no such name here: is it misspelt, or does it belong to another cell?"),
    (KeyError, "{", "The braces stand in the key as they are: is there an f in front of the quotes?"),
    (KeyError, "", "The dict has no such key: compare with the keys that it has, and count the layers."),
    (IndexError, "list index", "The list is shorter than that: lists count from 0, layers from 1."),
    (TypeError, "as a data type", "np.zeros takes the whole shape as one argument, in brackets of its own."),
    (TypeError, "'tuple' object cannot be interp", "np.random.randn takes rows and columns, not a tuple of them."),
    (TypeError, "bitwise_xor", "In Python ^ is no power: two stars are."),
    (ModuleNotFoundError, "", "Grading has the packages of the notebook's first cells only: NumPy is all you need."),
    (AttributeError, "'list' object", "That is a list, which is no array yet: np.array makes one of it."),
    (TypeError, "'NoneType'", "Something there is None: does every function that you call return its value?"),
    (ValueError, "truth value", "A question about an array has one answer per entry; `if` and max() take only one."),
    (ValueError, "to unpack", "There are not as many names on the left as there are values on the right."),
    (ValueError, "inhomogeneous", "A tuple or a list stands where an array is needed: unpack it first."),
    (ValueError, "broadcast", "Entry by entry (+ - * /) these shapes do not fit; the product of matrices is @."),
    (ValueError, "aligned", "In a product the left factor needs as many columns as the right one has rows."),
    (RecursionError, "", "The function calls itself again and again."),
    (SystemExit, "", "exit() and quit() end the kernel: leave them out."),
)  # fmt: skip
_MATMUL = re.compile(r"(ValueError: matmul: .*?), with gufunc signature .*\(size (\d+) is different from (\d+)\)")


def is_stub(error):
    return isinstance(error, NotImplementedError) and str(error).startswith("Exercise")


def explain(error, exercise, target, given, hint):
    """An exception inside the student's function, told as the student's: what, and at which line of what."""
    message = " ".join(str(error).split())[:300]
    if is_stub(error):
        if message.endswith(exercise.function):
            frames = student_frames(error, target)
            place = f" It stops at line {frames[-1][1]} of its cell." if frames else ""
            return [f"{message} is not written yet, or not all of it.{place}", _REPLACE]
        return [f"This needs a function that is not written yet: {message}. Write that one first."]
    if isinstance(error, KeyboardInterrupt):
        name, number, text = (student_frames(error, target) or [(exercise.function, "?", "")])[-1]
        return [f"Interrupted in {name}, line {number}:   {text}", "Is there a loop without an end?"]
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = student_frames(error, target)
    if not frames:
        said = f"Calling your function with ({', '.join(given)}) failed with {what}"
        return [said, hint or _KEEP_FIRST_LINE]
    meaning = next((words for sort, part, words in _MEANING if isinstance(error, sort) and part in message), "")
    look = f"Look again: {exercise.look}" if isinstance(error, ValueError | IndexError | KeyError) else ""
    advice = [hint] if hint else [meaning, look]
    if matmul := _MATMUL.search(what):
        what = f"{matmul[1]} (size {matmul[2]} is different from {matmul[3]})"
        left, right = matmul[3], matmul[2]
        meaning = (
            f"In a product with @ the left factor's columns ({left}) must be as many as the right one's rows ({right})."
        )
        advice = [meaning, hint or look]  # here the meaning holds the student's own sizes
    lines = [f"Your function stopped with {what}"]
    for name, number, text in frames[-3:]:
        lines.append(f"  in {name}, line {number}" + (f":   {text}" if text else ""))
    return [*lines, *filter(None, advice)]


_REPLACE = "Put your own code in place of every line with `raise`."
_KEEP_FIRST_LINE = "Keep the first line of the function as it was given."


def student_frames(error, target):
    """(function, line, text) of the frames that belong to the notebook, outermost first."""
    own = getattr(inspect.unwrap(target), "__globals__", None)
    frames, step = [], error.__traceback__ and error.__traceback__.tb_next  # the first frame is ours
    while step is not None:
        code, number, namespace = step.tb_frame.f_code, step.tb_lineno, step.tb_frame.f_globals
        if namespace is own or "__file__" not in namespace:  # what a notebook defines comes from no file
            frames.append((code.co_name, number, linecache.getline(code.co_filename, number).strip()))
        step = step.tb_next
    return frames


# --- a function that is older than its cell -----------------------------------------------------------------


def outdated(target, name):
    """One sentence where Python still has an older function than the cell that was run last says; else nothing.

    A cell that stops with an error leaves the function of an earlier run in place: the function under test, or one
    that it calls. A cell that was changed and not run cannot be noticed.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    try:
        namespace = shell.user_ns
        if namespace.get(name) is not target:
            return ""
        called = [used for used in inspect.unwrap(target).__code__.co_names if used in namespace]
        cells = list(shell.history_manager.input_hist_parsed)
        for one in (name, *called):
            if why := _outdated(namespace[one], one, cells):
                which = f"This is an older {one}" if one == name else f"Your {name} calls an older {one}"
                return f"{which}: the cell with `def {one}` that you ran last {why}. Fix that cell and run it."
        return ""
    except Exception:  # no notebook, or one whose history somebody has changed: then nothing is known
        return ""


def _outdated(function, name, cells):
    """Why a cell that was run after this function was made has not made it anew; "" where none has tried."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or code.co_name != name:
        return ""
    home = "".join(linecache.getlines(code.co_filename)).strip()
    made = max((number for number, cell in enumerate(cells) if cell.strip() == home), default=None)
    if not home or made is None:
        return ""
    later = [cell for cell in cells[made + 1 :] if name in cell]
    told = ""
    if any(re.search(rf"\bdef\s+{name}\b", cell) for cell in later):  # a test should not parse a notebook for nothing
        for cell in later:
            problem, gives_it_anew = _attempt(cell, name)
            if gives_it_anew:
                return ""  # on purpose
            told = problem or told
    return told


def _attempt(cell, name):
    """What kept a cell from defining a function, given that it did not; and whether it names something else so."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(cell, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            tree = ast.parse(cell)
    except SyntaxError as error:
        stopped = f"stopped with a {type(error).__name__} in its line {error.lineno}"
        return stopped if re.search(rf"^def {name}\b", cell, re.MULTILINE) else "", False
    if any(isinstance(step, ast.FunctionDef) and step.name == name for step in tree.body):
        return "stopped with an error before it came to that line", False
    return "", any(
        (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.alias) and (node.asname or node.name) in (name, "*"))
        for node in ast.walk(tree)
    )

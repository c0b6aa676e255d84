"""The texts of a public test: the table of outputs, translated exceptions, and a note on outdated functions."""

import ast
import inspect
import linecache
import re
import sys
import textwrap
import warnings

from selfcheck.exception_advice import class_names, meaning

MAX_WRONG_ROWS = 9
WIDTH = 88  # a line of a report; JupyterLab breaks longer ones in mid-word


def table(comparisons, exercise):
    """One line per output; if there are many, the right parts of an output share a line."""
    if comparisons[0].path == "":
        return [f"  Your function {comparisons[0].problem}."]
    rows = []
    for name in dict.fromkeys(comparison.path.partition("[")[0] for comparison in comparisons):
        group = [comparison for comparison in comparisons if comparison.path.partition("[")[0] == name]
        right = [comparison for comparison in group if not comparison.problem]
        if len(comparisons) > 9 and len(right) > 1:
            largest = max(comparison.largest for comparison in right)
            rows.append((f"{name} ({len(right)} of {len(group)})", "", _right(largest)))
            group = [comparison for comparison in group if comparison.problem]
        rows += [_row(comparison, exercise) for comparison in group]
    wrong = [row for row in rows if not row[2].endswith("ok")]
    spare = wrong[MAX_WRONG_ROWS:]
    rows = [row for row in rows if row not in spare]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {name:{widths[0]}}  {shape:{widths[1]}}  {text}".rstrip() for name, shape, text in rows]
    return lines + ([f"  and {len(spare)} more that are wrong"] if spare else [])


def _row(comparison, exercise):
    """The three columns of the table for one output: its name, its shape, how it compares."""
    part = next((name for place, name in exercise.parts if re.fullmatch(r"\w+" + place, comparison.path)), "")
    name = f"{comparison.path} ({part})" if part else comparison.path
    shape = str(comparison.shape) if comparison.shape else ""
    if not comparison.problem:
        return name, shape, _right(comparison.largest)
    if comparison.index is None:
        return name, shape, comparison.problem
    values = f"{comparison.entry} should be {comparison.want:.6g}, yours is {comparison.have:.6g}"
    return name, shape, f"{comparison.problem:22}  {values}"


def _right(largest):
    return f"largest difference {f'{largest:.1e}' if largest else '0':8} ok"


def wrapped(lines):
    """The lines of a report, the long ones wrapped between words. What belongs to a table goes on further in."""
    found = []
    for line in lines:
        further = " " * (len(line) - len(line.lstrip()) + 4) if line.startswith(" ") else ""
        kept = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": further}
        found += textwrap.wrap(line, WIDTH, **kept) or [line]
    return found


def made_by(exercise, case):
    """The call that makes the inputs of a further example; "" for the first one, whose call the notebook shows."""
    if not case.make:
        return ""
    given = ", ".join(f"{name}={value!r}" for name, value in case.make.items())
    return f"To see these inputs: {exercise.generator.__name__}({given})"


# --- exceptions in a student's function ----------------------------------------------------------------------

_MATMUL = re.compile(r"(ValueError: matmul: .*?), with gufunc signature .*\(size (\d+) is different from (\d+)\)")


def is_stub(error):
    return isinstance(error, NotImplementedError) and str(error).startswith("Exercise")


def explain(error, exercise, target, given, hints):
    """The lines about an exception in a student's function: type, message, lines of the notebook, and advice."""
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
        return [said, *(hints or [_KEEP_FIRST_LINE])]
    inner, names = inner_function(frames), class_names(error)
    means = "" if inner and "NameError" in names else meaning(names, message, frames[0][2])
    look = f"Look again: {exercise.look}"
    advice = [*hints] if hints else [means, look]
    if matmul := _MATMUL.search(what):
        what = f"{matmul[1]} (size {matmul[2]} is different from {matmul[3]})"
        left, right = matmul[3], matmul[2]
        means = (
            f"In a product with @ the left factor's columns ({left}) must be as many as the right one's rows ({right})."
        )
        advice = [means, *(hints or [look])]  # the meaning contains the sizes in this call
    if inner and not hints:
        advice.insert(0, f"It was {inner} that stopped: look first at what {frames[0][0]} gives it.")
    lines = [f"Your function stopped with {what}"]
    for name, number, text in frames[-3:]:
        lines.append(f"  in {name}, line {number}" + (f":   {text}" if text else ""))
    return [*lines, *filter(None, advice)]


_REPLACE = "Put your own code in place of every line with `raise`."
_KEEP_FIRST_LINE = "Keep the first line of the function as it was given."


def student_frames(error, target):
    """(function, line, text) of the frames of the notebook, outermost first."""
    notebook_globals = getattr(inspect.unwrap(target), "__globals__", None)
    frames, step = [], error.__traceback__ and error.__traceback__.tb_next  # the first frame is that of selfcheck
    while step is not None:
        code, number, namespace = step.tb_frame.f_code, step.tb_lineno, step.tb_frame.f_globals
        if namespace is notebook_globals or "__file__" not in namespace:  # code of a notebook has no file
            frames.append((code.co_name, number, linecache.getline(code.co_filename, number).strip()))
        step = step.tb_next
    return frames


def inner_function(frames):
    """The name of the function that raised the exception, if it is another one than the function under test."""
    return frames[-1][0] if frames and frames[-1][0] != frames[0][0] else ""


# --- a function that is older than its cell -----------------------------------------------------------------


def outdated(target, name):
    """One sentence if the kernel still has an older function than the one in the cell that ran last; else "".

    A cell that fails leaves the function of an earlier run in the kernel: the function under test, or one that it
    calls. A cell that was changed but not run cannot be detected.
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
    except Exception:  # no notebook, or a changed history: unknown
        return ""


def _outdated(function, name, cells):
    """Why a cell that ran later did not redefine this function; "" if none tried."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or code.co_name != name:
        return ""
    home = "".join(linecache.getlines(code.co_filename)).strip()
    made = max((number for number, cell in enumerate(cells) if cell.strip() == home), default=None)
    if not home or made is None:
        return ""
    later = [cell for cell in cells[made + 1 :] if name in cell]
    reason = ""
    if any(re.search(rf"\bdef\s+{name}\b", cell) for cell in later):  # cheap check first: parsing all cells takes time
        for cell in later:
            problem, rebinds = _attempt(cell, name)
            if rebinds:
                return ""  # redefined on purpose
            reason = problem or reason
    return reason


def _attempt(cell, name):
    """Why a cell did not define a function, given that it did not; and whether it binds the name otherwise."""
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

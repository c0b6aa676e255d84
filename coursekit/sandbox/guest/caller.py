"""Calls a student's function inside the sandbox and returns the results as data.

Nothing here compares results or has expected outputs. A submission that tampers with this module can only change
numbers that the grader compares outside; and it gets the hidden inputs only after its last output has been recorded.
"""

import builtins
import io
import random
import signal
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from types import FunctionType
from typing import Any

import numpy as np

from . import codec
from .cpu_wait import waited_s
from .helpers import Helpers, NotAnswered

MAX_OUTPUTS = 200
MAX_TEXT = codec.MAX_TEXT
# The alarm repeats, because an exception that is raised in a finalizer is lost, and CPU wait extends the limit.
ALARM_REPEAT_S = 0.5
ALARM_MARGIN_S = 0.01  # so that the first alarm never rings before the time is over by the monotonic clock


class CallTimeout(BaseException):
    """The call took too long; not an Exception, so that a student's ``except Exception`` does not swallow it."""


class _DiscardedOutput(io.TextIOBase):
    """Discards what a function prints while the grader calls it."""

    def write(self, text: str) -> int:
        return len(text)


def answer_call(shell: Any, request: Mapping[str, Any], helpers: Helpers) -> dict[str, Any]:
    """The reply to a function call: restore a snapshot of the notebook, and call the function with every case.

    In a retry, stand-ins replace the student's functions that ``request["replace"]`` names. A function that could not
    be defined without them is then defined from ``request["source"]``.
    """
    shell.restore(request["snapshot"])
    namespace = shell.namespace
    if "replace" in request:
        _replace_with_stand_ins(namespace, request, helpers)
    cases = (
        (case["case"], tuple(codec.decode(arg, codec.imported) for arg in case["args"])) for case in request["cases"]
    )
    outputs = request["outputs"]
    with redirect_stdout(_DiscardedOutput()), redirect_stderr(_DiscardedOutput()):
        return observe(
            namespace.get(request["function"]),
            tuple(outputs) if isinstance(outputs, list) else outputs,
            request["inputs"],
            cases,
            request["call_timeout_s"],
            helpers,
        )


def _replace_with_stand_ins(namespace: dict[str, Any], request: Mapping[str, Any], helpers: Helpers) -> None:
    new = {name: helpers.stand_in(name) for name in request["replace"]}
    old = {id(namespace[name]): new[name] for name in new if callable(namespace.get(name))}
    for name, value in list(namespace.items()):  # a function may be bound to several names
        namespace[name] = old.get(id(value), value)
    for value in list(namespace.values()):  # or be the default of an argument
        if isinstance(value, FunctionType) and value.__defaults__:
            value.__defaults__ = tuple(old.get(id(default), default) for default in value.__defaults__)
        if isinstance(value, FunctionType) and value.__kwdefaults__:
            given = value.__kwdefaults__.items()
            value.__kwdefaults__ = {name: old.get(id(default), default) for name, default in given}
    namespace.update(new)
    if request["function"] not in namespace:
        with suppress(Exception), redirect_stdout(_DiscardedOutput()), redirect_stderr(_DiscardedOutput()):
            exec(request["source"], namespace)


def observe(
    target: Any,
    outputs: str | tuple[str, ...],
    inputs: Sequence[str],
    cases: Any,
    call_timeout_s: float | None = None,
    helpers: Helpers | None = None,
) -> dict[str, Any]:
    """What ``target`` returns or raises in every case (name, arguments), and its arguments after the call.

    After a call that takes longer than ``call_timeout_s`` the remaining cases are skipped. CPU wait and the time that
    ``helpers`` wait do not count. A case in which one of their calls was not answered has no result.
    """
    seen: list[dict[str, Any]] = []
    state = np.random.get_state()
    for name, args in cases:
        random.seed(0)
        if helpers is not None:
            helpers.clear()
        observation = _call(target, outputs, inputs, args, call_timeout_s, helpers)
        if helpers is not None and helpers.unanswered:
            observation = {"untried": helpers.unanswered[:MAX_TEXT]}
        seen.append({"case": name, **observation})
        if "timeout_s" in observation:
            break
    np.random.set_state(state)
    return {"defined": target is not None, "observations": seen}


def _call(
    target: Any,
    outputs: str | tuple[str, ...],
    inputs: Sequence[str],
    args: tuple[Any, ...],
    timeout_s: float | None,
    helpers: Helpers | None,
) -> dict[str, Any]:
    from selfcheck.returned_values import flatten, kind

    try:
        with warnings.catch_warnings(), _alarm(timeout_s, helpers):  # also while an endless result is flattened
            warnings.simplefilter("ignore")
            try:
                result = target(*args)
                flat = list(flatten(result, outputs).items())[:MAX_OUTPUTS]
                after = list(flatten(args, tuple(inputs[: len(args)])).items())[:MAX_OUTPUTS]
                return {
                    "own": any(result is arg for arg in args),
                    "outputs": {str(path)[:MAX_TEXT]: codec.leaf(leaf, kind) for path, leaf in flat},
                    "inputs": {str(path)[:MAX_TEXT]: codec.leaf(leaf, kind) for path, leaf in after},
                }
            except (CallTimeout, KeyboardInterrupt):
                raise
            except NotAnswered:
                return {}
            except BaseException as error:  # also exit() in a student's function
                return {"error": _error(error, target)}
    except (CallTimeout, KeyboardInterrupt):
        return {"timeout_s": timeout_s}


@contextmanager
def _alarm(timeout_s: float | None, helpers: Helpers | None) -> Iterator[None]:
    if timeout_s is None or not hasattr(signal, "setitimer"):
        yield
        return

    def counted_s() -> float:
        return time.monotonic() - waited_s() - (helpers.waited_s() if helpers is not None else 0.0)

    began = counted_s()

    def stop(*_: object) -> None:
        if counted_s() - began >= timeout_s:
            raise CallTimeout

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout_s + ALARM_MARGIN_S, ALARM_REPEAT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _error(error: BaseException, target: Any) -> dict[str, Any]:
    from selfcheck.reports import inner_function, student_frames

    sorts = [_class_name(sort) for sort in type(error).__mro__[:MAX_OUTPUTS]]
    try:
        message, frames = str(error)[:MAX_TEXT], student_frames(error, target)
    except Exception:  # str(error) fails, or the function hides what it wraps
        message, frames = "", []
    return {
        "type": sorts[0],
        "is_a": sorts,
        "message": message,
        "line": frames[0][2][:MAX_TEXT] if frames else "",
        "inside": inner_function(frames)[:MAX_TEXT],
    }


def _class_name(sort: type) -> str:
    """The name of an exception's class; "another ValueError" for a class that only has the name of a builtin."""
    name = str(sort.__name__)
    return name[:MAX_TEXT] if getattr(builtins, name, sort) is sort else f"another {name}"[:MAX_TEXT]

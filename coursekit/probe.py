"""What runs in the student's kernel: call the function on every case and send back what came out, as data.

Nothing here compares anything or knows an expected output. What it sends is JSON without any code in it:
a submission that tampers with this module can only change numbers that the grader compares outside.
"""

import base64
import copy
import signal
import warnings
from contextlib import contextmanager
from typing import Any

import numpy as np

import hidden_tests
import public_tests
from comparison import changed, flatten, kind

MIME = "application/vnd.coursekit.observations+json"
MAX_ARRAY_BYTES = 1 << 20  # every expected output is below 10 kB
MAX_OUTPUTS = 200
MAX_TEXT = 300


class CallTimeout(BaseException):
    """The call took too long; not an Exception, so that a student's ``except Exception`` does not swallow it."""


def probe(key: str, target: Any, call_timeout_s: float) -> None:
    """Publish what ``observe`` saw as a display of our own MIME type."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    assert shell is not None, "a probe runs in a kernel only"
    shell.display_pub.publish({MIME: observe(hidden_tests.TABLE[key], target, call_timeout_s)})


def observe(exercise: hidden_tests.Exercise, target: Any, call_timeout_s: float | None = None) -> dict[str, Any]:
    """What ``target`` returns, raises, warns and changes in every case, encoded as JSON can carry it.

    After a call that takes longer than ``call_timeout_s`` the other cases are not tried.
    """
    seen: list[dict[str, Any]] = []
    state = np.random.get_state()
    for case in exercise.cases:
        observation = _call(exercise, case, target, call_timeout_s)
        seen.append({"case": case.name, **observation})
        if "timeout_s" in observation:
            break
    np.random.set_state(state)
    return {"exercise": exercise.key, "defined": target is not None, "observations": seen}


def _call(
    exercise: hidden_tests.Exercise, case: public_tests.Case, target: Any, timeout_s: float | None
) -> dict[str, Any]:
    args = public_tests.build(exercise.public, case)
    before = public_tests.inputs(exercise.public, copy.deepcopy(args))
    try:
        with warnings.catch_warnings(), _alarm(timeout_s):
            warnings.simplefilter("ignore")
            result = target(*args)
        outputs = flatten(result, exercise.public.outputs)
        after = public_tests.inputs(exercise.public, args)
    except CallTimeout:
        return {"timeout_s": timeout_s}
    except (Exception, SystemExit) as error:  # exit() in a function is the student's, too
        return {"error": _error(error, target)}
    encoded = {str(name)[:MAX_TEXT]: _encode(leaf) for name, leaf in list(outputs.items())[:MAX_OUTPUTS]}
    return {"outputs": encoded, "changed": [name[:MAX_TEXT] for name in changed(before, after)[:MAX_OUTPUTS]]}


@contextmanager
def _alarm(timeout_s: float | None) -> Any:
    if timeout_s is None or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise CallTimeout

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _encode(leaf: Any) -> dict[str, Any]:
    if not isinstance(leaf, np.ndarray):
        return {"kind": kind(leaf)[:MAX_TEXT]}
    if leaf.nbytes > MAX_ARRAY_BYTES:
        return {"kind": f"an array of shape {leaf.shape}"[:MAX_TEXT]}
    data = np.ascontiguousarray(leaf, dtype="<f8")
    return {"shape": list(leaf.shape), "data": base64.b64encode(data.tobytes()).decode("ascii")}


def _error(error: BaseException, target: Any) -> dict[str, Any]:
    frames = public_tests.student_frames(error, target)
    return {
        "type": type(error).__name__[:MAX_TEXT],
        "is_a": [sort.__name__[:MAX_TEXT] for sort in type(error).__mro__[:MAX_OUTPUTS]],
        "message": str(error)[:MAX_TEXT],
        "line": frames[-1][2][:MAX_TEXT] if frames else "",
    }

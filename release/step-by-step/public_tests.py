"""What a student can run: one ``<function>_test(target)`` per exercise; those of `digits` have ``digits_`` in front.

A test calls the function on the example of the notebook and on one of another size, and compares with the
recorded outputs in ``public_tests.h5``. It says in one reading what is wrong: shapes before values, the first
wrong entry, what to look at. It prints a short table when all is well and raises ``PublicTestFailure``
otherwise; where the wrong outputs are those of a known mistake, with the hint for it. The examples stand in
``public_cases``, the words for tables and exceptions in ``public_reports``.
"""

import copy
import io
import re
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from comparison import changed, compare, flatten, kind, likely_cause
from public_cases import EXERCISES, build, describe, inputs, recorded, sizes
from public_reports import explain, is_stub, outdated, student_frames, table

RECORDING = Path(__file__).with_name("public_tests.h5")
KNOWN_MISTAKES = Path(__file__).with_name("public_mistakes.h5")


class PublicTestFailure(AssertionError):
    """A public test found something wrong; the message is the whole report."""

    def _render_traceback_(self):
        # IPython asks an exception for its own rendering: the report, and no frames of ours.
        return str(self).splitlines()


def _tester(key):
    """The public test of an exercise: a function of the student's function."""
    assignment, _, function = key.partition("/")

    def test(target):
        _test(key, target)

    test.__name__ = test.__qualname__ = f"{'digits_' * (assignment == 'digits')}{function}_test"
    test.__doc__ = f"Exercise {EXERCISES[key].number}, {function}: {EXERCISES[key].look}"
    return test


initialize_parameters_test = _tester("step-by-step/initialize_parameters")
initialize_parameters_deep_test = _tester("step-by-step/initialize_parameters_deep")
linear_forward_test = _tester("step-by-step/linear_forward")
linear_activation_forward_test = _tester("step-by-step/linear_activation_forward")
L_model_forward_test = _tester("step-by-step/L_model_forward")
compute_cost_test = _tester("step-by-step/compute_cost")
linear_backward_test = _tester("step-by-step/linear_backward")
linear_activation_backward_test = _tester("step-by-step/linear_activation_backward")
L_model_backward_test = _tester("step-by-step/L_model_backward")
update_parameters_test = _tester("step-by-step/update_parameters")

prepare_images_test = _tester("application/prepare_images")
two_layer_model_test = _tester("application/two_layer_model")
L_layer_model_test = _tester("application/L_layer_model")
predict_test = _tester("application/predict")
mislabelled_test = _tester("application/mislabelled")

digits_initialize_parameters_test = _tester("digits/initialize_parameters")
digits_linear_forward_test = _tester("digits/linear_forward")
digits_relu_test = _tester("digits/relu")
digits_softmax_test = _tester("digits/softmax")
digits_linear_activation_forward_test = _tester("digits/linear_activation_forward")
digits_apply_batchnorm_test = _tester("digits/apply_batchnorm")
digits_l_model_forward_test = _tester("digits/l_model_forward")
digits_compute_cost_test = _tester("digits/compute_cost")
digits_linear_backward_test = _tester("digits/linear_backward")
digits_relu_backward_test = _tester("digits/relu_backward")
digits_softmax_backward_test = _tester("digits/softmax_backward")
digits_linear_activation_backward_test = _tester("digits/linear_activation_backward")
digits_batchnorm_backward_test = _tester("digits/batchnorm_backward")
digits_l_model_backward_test = _tester("digits/l_model_backward")
digits_update_parameters_test = _tester("digits/update_parameters")
digits_l_layer_model_test = _tester("digits/l_layer_model")
digits_predict_test = _tester("digits/predict")
__all__ = [name for name in dir() if name.endswith("_test")]


# --- one call -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call of a student's function: the arguments as they are afterwards, and as they were, flattened; what came."""

    args: tuple
    before: dict
    result: object = None
    error: BaseException | None = None


def call(exercise, case, target):
    """The function called on one case; whatever it raises is kept."""
    args = build(exercise, case)
    before = inputs(exercise, copy.deepcopy(args))
    try:
        return Call(args, before, target(*args))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return Call(args, before, error=error)


def call_quietly(exercise, case, target):
    """The same, and nothing that the function prints or warns of is seen."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(exercise, case, target)


def outcome(exercise, target, made):
    """What a call gave, as known mistakes are recorded."""
    from known_mistakes import Outcome, assigned, sign

    if made.error is not None:
        raised, frames = type(made.error).__name__, student_frames(made.error, target)
        line = frames[-1][2] if frames else ""
        return Outcome(raised=raised, sign=sign(raised, str(made.error)), at=assigned(line))
    got = flatten(made.result, exercise.outputs)
    spoilt = tuple(changed(made.before, inputs(exercise, made.args)))
    return Outcome(got, spoilt, own=any(made.result is arg for arg in made.args))


def draws_anew(exercise, case, target):
    """Whether the function gives other numbers when the notebook has drawn other random numbers before."""
    results = []
    for seed in (1, 2):
        np.random.seed(seed)
        results.append(call_quietly(exercise, case, target))
        if np.random.get_state()[1][0] == seed:
            return False  # nothing was drawn since
    one, other = (flatten(made.result, exercise.outputs) for made in results)
    return any(
        not np.array_equal(leaf, other.get(path), equal_nan=True)
        for path, leaf in one.items()
        if isinstance(leaf, np.ndarray)
    )


# --- one test -----------------------------------------------------------------------------------------------


def _test(key, target):
    exercise = EXERCISES[key]
    if not callable(target):
        raise PublicTestFailure(f"{exercise.function} should be a function, yours is {kind(target)}.")
    if older := outdated(target, exercise.function):
        raise PublicTestFailure(older)
    state = np.random.get_state()
    calls, reports = {}, []
    try:
        for case in exercise.cases:
            expected = {} if case.raises else _expected(key, case)
            calls[case.name] = call(exercise, case, target)
            reports.append(_report(key, case, target, expected, calls))
    finally:
        np.random.set_state(state)
    print("\n".join([*reports, f"Right on these examples. Grading also tries {exercise.also}."]))


def _report(key, case, target, expected, calls):
    """The table of one case, or PublicTestFailure with all that there is to say about it."""
    exercise, made = EXERCISES[key], calls[case.name]
    title = f"{exercise.function}    {describe(exercise, case)}"
    if made.error is not None:
        if case.raises in (sort.__name__ for sort in type(made.error).__mro__):
            return f"{title}\n  {case.raises}, as it should be  ok"
        given = exercise.inputs[: len(made.args)]
        hint = "" if is_stub(made.error) else _hint(key, case, target, calls)
        told = explain(made.error, exercise, target, given, hint)
        if case.raises and not is_stub(made.error):
            told.append(f"Here it should raise a {case.raises}, and no other exception.")
        raise PublicTestFailure("\n".join([title, *told])) from None
    if case.raises:
        said = f"  Your function should raise a {case.raises}; it returns {kind(made.result)}."
        advice = _hint(key, case, target, calls) or f"Look again: {exercise.look}"
        raise PublicTestFailure("\n".join([title, said, advice]))
    got = flatten(made.result, exercise.outputs)
    findings = compare(expected, got, rtol=exercise.rtol)
    report = [title, *table(findings, exercise)]
    names = changed(made.before, inputs(exercise, made.args))
    spoilt = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    wrong = [finding for finding in findings if finding.problem]
    if wrong:
        worst = next((finding for finding in wrong if finding.index is None), wrong[0])  # shapes before values
        cause = likely_cause(worst, expected, got, made.before, sizes(exercise, case).get("m"))
        also = f"Your function also changes its own input: {spoilt}." if spoilt else ""
        cause = _other_case(key, exercise, case, got) or cause
        hint = _hint(key, case, target, calls)
        # a known mistake says more than a cause that fits the numbers, and that more than a reminder
        advice = [_only_fact(cause), hint] if hint else [cause or f"Look again: {exercise.look}"]
        raise PublicTestFailure("\n".join([*report, *filter(None, [*advice, also])]))
    if spoilt:
        same = any(made.result is arg for arg in made.args)
        hint = _hint(key, case, target, calls)
        text = f"{_SPOILT}\n{hint}" if hint else f"{_SPOILT}\n{_SAME if same else _CHANGED}"
        raise PublicTestFailure("\n".join([*report, text.format(inputs=spoilt)]))
    return "\n".join(report)


def _hint(key, case, target, calls):
    """The hint of the known mistake that gives what this function gives, in every case; "" if there is none.

    The cases that have not been tried yet are tried only while some mistake fits.
    """
    exercise = EXERCISES[key]
    try:
        from known_mistakes import VARIES, read

        known = read(KNOWN_MISTAKES, key)
    except Exception:  # without the file, or with a damaged one, there are no hints; the report is the same
        return ""
    seen = {name: outcome(exercise, target, made) for name, made in calls.items()}
    for other in (case, *(other for other in exercise.cases if other.name not in seen)):
        if other.name not in seen:
            seen[other.name] = outcome(exercise, target, call_quietly(exercise, other, target))
        if any(one.cases[other.name].tells == VARIES for one in known if other.name in one.cases):
            seen[other.name] = replace(seen[other.name], varies=draws_anew(exercise, other, target))
        known = [one for one in known if one.agrees(seen, exercise.rtol)]
        if not known:
            return ""
    return next((f"Hint: {one.hint}" for one in known if one.fits(seen, exercise.rtol)), "")


def _only_fact(cause):
    """The part of a cause that says what is so, without the question or the advice that follows."""
    return re.split(r"[:;.?] ", cause)[0].rstrip(".:;?") + "." if cause else ""


def read_recordings(assignment):
    """Read what is recorded for an assignment, which is remembered: the grader has it read once for a whole class."""
    for key, exercise in EXERCISES.items():
        for case in exercise.cases:
            if key.startswith(f"{assignment}/") and not case.raises:
                recorded(RECORDING, key, case.name)


def _expected(key, case):
    try:
        return recorded(RECORDING, key, case.name)
    except ImportError as error:
        raise PublicTestFailure(
            f"This test cannot run: it needs the package h5py ({error}). Your function has not been looked at.\n"
            f"Run `%pip install h5py` in a cell of its own, and then this one again."
        ) from None
    except FileNotFoundError as error:
        problem = f"{error}"
    except (OSError, KeyError):
        problem = f"{RECORDING.name} is damaged, or does not belong to this {RECORDING.stem}.py"
    raise PublicTestFailure(
        f"This test cannot run: {problem}. Your function has not been looked at.\n"
        f"Copy both files into this folder again, as you got them with the assignment."
    )


_SPOILT = "The values are right, but your function changed its own input: {inputs}."
_SAME = """\
It returns the very object that came in: = gives a thing a second name, it does not copy it. Begin with a new one."""
_CHANGED = """\
Whoever called it still needs the old numbers. x = x - y makes a new array; x -= y and x[...] = y write into
the old one, and dict.copy() shares the arrays in the dict."""


def _quoted(name, value):
    return repr(value) if isinstance(value, str) else f"{name}={value}"


def _other_case(key, exercise, case, got):
    """A remark when the outputs are the right ones of the same example with another activation."""
    for other in exercise.cases:
        if other.make == case.make and other.extra != case.extra and not other.raises:
            findings = compare(_expected(key, other), got, rtol=exercise.rtol)
            if not any(finding.problem for finding in findings):
                asked, found = (_quoted(exercise.inputs[-1], one.extra[-1]) for one in (case, other))
                return f"These are the right numbers for {found}, but {asked} was asked for."
    return ""

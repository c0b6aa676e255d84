"""The public tests: call a function on the public cases of its exercise, and compare with the recorded outputs.

A test prints a short table if all is right. Otherwise it raises ``PublicTestFailure`` with a report: shapes before
values, the first wrong entry, the likely cause, and the hint if the outputs are those of a known mistake.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selfcheck import recordings
from selfcheck.calls import Call, call, call_outcome, call_quietly, draws_anew
from selfcheck.comparison import changed, compare
from selfcheck.exercises import Case, Exercise
from selfcheck.known_mistakes import VARIES
from selfcheck.likely_causes import WrongOutput, common_cause
from selfcheck.recognition import Seen, recognised
from selfcheck.reports import explain, is_stub, made_by, outdated, table, wrapped
from selfcheck.returned_values import flatten, kind


class PublicTestFailure(AssertionError):
    """A public test failed; the message is the whole report."""

    def _render_traceback_(self):
        # IPython calls this instead of showing a traceback: the report, without frames of selfcheck.
        return wrapped(str(self).splitlines())


@dataclass(frozen=True)
class Suite:
    """The public tests of an assignment.

    ``exercises`` come from its ``cases.py``; ``recorded`` is the file of ``recordings``. If that has no known mistakes,
    the reports have no hints.
    """

    exercises: Sequence[Exercise]
    recorded: Path

    def testers(self):
        """Every test by name, such as ``linear_forward_test``."""
        return {test_name(exercise): self._tester(exercise) for exercise in self.exercises}

    def generators(self):
        """The generators defined in ``cases.py`` itself, by name, for notebooks that show their values."""
        made = (exercise.generator for exercise in self.exercises)
        return {one.__name__: one for one in made if one.__module__ == "cases"}

    def warm_up(self):
        """Read the recordings into the cache, as part of the grader's warm-up."""
        for exercise in self.exercises:
            recordings.outputs(self.recorded, exercise.function)

    def _tester(self, exercise):
        def test(target):
            _Test(self, exercise, target).run()

        test.__name__ = test.__qualname__ = test_name(exercise)
        test.__doc__ = f"Exercise {exercise.number}, {exercise.function}: {exercise.look}"
        return test


def test_name(exercise):
    """The name of an exercise's public test: ``<name>_test`` for the generator ``<name>_test_case…``."""
    return exercise.generator.__name__.partition("_test_case")[0] + "_test"


class _Test:
    """One run of one test; ``calls`` are those made so far, by name of the case."""

    def __init__(self, suite: Suite, exercise: Exercise, target: Callable):
        self.suite, self.exercise, self.target = suite, exercise, target
        self.calls: dict[str, Call] = {}
        self.case: Case | None = None  # the one that is being reported

    def run(self):
        if not callable(self.target):
            self._fail(f"{self.exercise.function} should be a function, yours is {kind(self.target)}.")
        if older := outdated(self.target, self.exercise.function):
            self._fail(older)
        state = np.random.get_state()
        reports = []
        try:
            for case in self.exercise.cases:
                expected = {} if case.raises else self._expected(case)
                made = self.calls[case.name] = call(self.exercise, case, self.target)
                reports.append(self._report(case, made, expected))
        finally:
            np.random.set_state(state)
        print("\n".join([*reports, f"Right on these examples. Grading also tries {self.exercise.also}."]))

    def _report(self, case: Case, made: Call, expected):
        """The table of one right case; raises PublicTestFailure with the report on a wrong one."""
        title = f"{self.exercise.function}    {self.exercise.describe(case)}"
        self.case = case
        if made.error is not None:
            return self._report_exception(title, case, made)
        if case.raises:
            said = f"  Your function should raise a {case.raises}; it returns {kind(made.result)}."
            self._fail(title, said, *(self._hints(case) or [f"Look again: {self.exercise.look}"]))
        got = flatten(made.result, self.exercise.outputs)
        comparisons = compare(expected, got, rtol=self.exercise.rtol)
        report = [title, *table(comparisons, self.exercise)]
        changed_inputs = _listed(changed(made.before, self.exercise.flat_inputs(made.args)))
        wrong = [comparison for comparison in comparisons if comparison.problem]
        if wrong:
            self._fail(*report, *self._advice(case, made, expected, got, wrong, changed_inputs))
        if changed_inputs:
            same = any(made.result is arg for arg in made.args)
            advice = self._hints(case) or [_SAME_OBJECT if same else _CHANGED_IN_PLACE]
            self._fail(*report, _CHANGED_INPUT.format(inputs=changed_inputs), *advice)
        return "\n".join(report)

    def _report_exception(self, title, case: Case, made: Call):
        """The report on a case whose call raised an exception; raises PublicTestFailure if the exception is wrong."""
        if case.is_answered_by(made.error):
            return f"{title}\n  {case.raises}, as it should be  ok"
        stub = is_stub(made.error)
        given = self.exercise.inputs[: len(made.args)]
        said = explain(made.error, self.exercise, self.target, given, [] if stub else self._hints(case))
        if case.raises and not stub:
            said.append(f"Here it should raise a {case.raises}, and no other exception.")
        return self._fail(title, *said)

    def _advice(self, case: Case, made: Call, expected, got, wrong, changed_inputs):
        """Advice on wrong outputs, the most specific first."""
        hints = self._hints(case)
        cause = self._other_case(case, got) or self._cause(case)
        # The hint of a known mistake is more specific than a likely cause, and that more than the general reminder.
        advice = [_only_fact(cause), *hints] if hints else [cause, f"Look again: {self.exercise.look}"]
        also = f"Your function also changes its own input: {changed_inputs}." if changed_inputs else ""
        return filter(None, [*advice, also])

    def _hints(self, case: Case):
        """The hints of the known mistakes that explain the outcomes of every case; empty if that is not clear.

        The remaining cases are called only as long as some mistake agrees.
        """
        try:
            known = [*recordings.mistakes(self.suite.recorded, self.exercise.function)]
        except Exception:  # a missing or damaged file means no hints
            return []
        rtol, outcomes = self.exercise.rtol, {}
        for one in (case, *(other for other in self.exercise.cases if other.name != case.name)):
            outcomes[one.name] = self._outcome(one, known)
            expected = {name: self._expected_in(name) for name in outcomes}
            found = recognised(known, Seen(outcomes, expected, self._branches(), rtol))
            if not found.mistakes and not any(mistake.agrees(outcomes, rtol) for mistake in known):
                return []
        return [f"Hint: {one.hint}" for one in found.mistakes]

    def _outcome(self, case: Case, known):
        seen = call_outcome(self.exercise, self.target, self._called(case))
        if any(one.cases[case.name].tells == VARIES for one in known if case.name in one.cases):
            return replace(seen, varies=draws_anew(self.exercise, case, self.target))
        return seen

    def _branches(self):
        """The text argument of each case, such as "relu"."""
        texts = {case.name: [one for one in case.extra if isinstance(one, str)] for case in self.exercise.cases}
        return {name: "".join(found[:1]) for name, found in texts.items()}

    def _cause(self, case: Case):
        """The likely cause if it is the same in every case that is wrong; else "".

        The remaining cases are called only as long as there is one.
        """
        found: list[WrongOutput] = []
        for one in (case, *(other for other in self.exercise.cases if other.name != case.name and not other.raises)):
            if found and not common_cause(found):
                return ""
            made, expected = self._called(one), self._expected(one)
            if made.error is not None:
                return ""
            got = flatten(made.result, self.exercise.outputs)
            wrong = [finding for finding in compare(expected, got, rtol=self.exercise.rtol) if finding.problem]
            if wrong:  # shapes before values
                worst = next((finding for finding in wrong if finding.index is None), wrong[0])
                found.append(WrongOutput(worst, expected, got, made.before, self.exercise.sizes(one).get("m")))
        return common_cause(found)

    def _called(self, case: Case):
        """The call of the function in a case, which is made if it was not yet: quietly, since nobody asked for it."""
        if case.name not in self.calls:
            self.calls[case.name] = call_quietly(self.exercise, case, self.target)
        return self.calls[case.name]

    def _expected_in(self, name):
        case = next(one for one in self.exercise.cases if one.name == name)
        return {} if case.raises else self._expected(case)

    def _other_case(self, case: Case, got):
        """A note if the outputs are right for the same example with another activation; else ""."""
        for other in self.exercise.cases:
            if other.make == case.make and other.extra != case.extra and not other.raises:
                comparisons = compare(self._expected(other), got, rtol=self.exercise.rtol)
                if not any(comparison.problem for comparison in comparisons):
                    asked, found = (_quoted(self.exercise.inputs[-1], one.extra[-1]) for one in (case, other))
                    return f"These are the right numbers for {found}, but {asked} was asked for."
        return ""

    def _expected(self, case: Case):
        file = self.suite.recorded
        try:
            return recordings.outputs(file, self.exercise.function)[case.name]
        except FileNotFoundError as error:
            problem = f"{error}"
        except Exception:  # NumPy, zipfile and zlib raise many types
            problem = f"{file.name} is damaged, or does not belong to this cases.py"
        return self._fail(
            f"This test cannot run: {problem}. Your function has not been looked at.",
            "Copy cases.py and recorded.npz into this folder again, as you got them with the assignment.",
        )

    def _fail(self, *lines):
        call = made_by(self.exercise, self.case) if self.case else ""
        raise PublicTestFailure("\n".join(filter(None, [*lines, call]))) from None


_CHANGED_INPUT = "The values are right, but your function changed its own input: {inputs}."
_SAME_OBJECT = """\
It returns the very object that came in: = gives a thing a second name, it does not copy it. Begin with a new one."""
_CHANGED_IN_PLACE = """\
Whoever called it still needs the old numbers. x = x - y makes a new array; x -= y and x[...] = y write into
the old one, and dict.copy() shares the arrays in the dict."""


def _listed(names):
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _only_fact(cause):
    """The first statement of a cause, without the question or advice that follows."""
    return re.split(r"[:;.?] ", cause)[0].rstrip(".:;?") + "." if cause else ""


def _quoted(name, value):
    return repr(value) if isinstance(value, str) else f"{name}={value}"

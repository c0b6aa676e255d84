"""The catalogue against the table: every mistake loses marks, and every right answer keeps all of them."""

from concurrent.futures import Executor
from pathlib import Path

import mistakes
from coursekit.checks.findings import Finding, Source
from coursekit.checks.gates_scratch import Gate
from coursekit.course import Course
from coursekit.mutation.mutants_run import bench, cells, silence
from hidden_tests import exercises


def check(course: Course, source: Source, pool: Executor) -> Gate:
    """Findings G706 and G707, and how many there are of either sort."""
    keys = [row.key for row in exercises(source.assignment)]
    tried = list(pool.map(_losing, [str(course.root)] * len(keys), keys))
    losing = set().union(*tried)
    wrong = [answer for answer in mistakes.MISTAKES if answer.exercise in keys]
    right = [answer for answer in mistakes.RIGHT_ANSWERS if answer.exercise in keys]
    missed = [answer for answer in wrong if str(answer) not in losing]
    punished = [answer for answer in right if str(answer) in losing]
    findings = [
        Finding("G706", f"mistakes.py[{answer}]", "keeps full marks", "add a case that shows it") for answer in missed
    ] + [
        Finding("G707", f"mistakes.py[{answer}]", "loses marks, though it is right", "mend the case or the check")
        for answer in punished
    ]
    figure = f"mistakes: {len(wrong) - len(missed)} of {len(wrong)} caught"
    return findings, f"{figure}; right answers: {len(right) - len(punished)} of {len(right)} keep full marks"


def _losing(root: str, key: str) -> set[str]:
    """In a process of its own: the answers to one exercise in the catalogue that get less than full marks."""
    one, losing = bench(Course(Path(root)), key), set()
    cell = cells(one.course, one.exercise.assignment)[one.exercise.grade_id]
    with silence():
        for answer in (*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS):
            if answer.exercise == key:
                target = one.function(mistakes.apply(answer, cell))
                if target is None or one.loses(target):
                    losing.add(str(answer))
    return losing

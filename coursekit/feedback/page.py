"""Marks and cells -> the page: one file without external resources and without scripts."""

import base64
import hashlib
import re
from functools import lru_cache
from html import escape
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from coursekit.feedback import cells, markdown, text
from coursekit.feedback.marks import ExerciseFeedback, Marks
from coursekit.grading.student_marks import UNREADABLE

# The sign and the words of each status; colour only repeats them.
STATUS = {
    "right": ("✓", "right"),
    "partly": ("◐", "partly right"),
    "wrong": ("✗", "not right yet"),
    "blank": ("○", "not written yet"),
    "waiting": ("…", "waits for a person"),
    "unknown": ("?", "not graded"),
}


def render(marks: Marks, title: str, shown: tuple[cells.Cell, ...]) -> str:
    """The HTML of a student's page."""
    style = _resource("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return _template().render(
        marks=marks,
        title=title,
        cells=shown,
        places=cells.places(shown),
        sections={exercise.grade_id: number for number, exercise in enumerate(marks.exercises, 1)},
        STATUS=STATUS,
        headline=headline(marks),
        fix=None if marks.problem else marks.first_to_fix,
        style=Markup(style),
        digest=digest,
    )


def headline(marks: Marks) -> str:
    """The first sentence of the page."""
    if marks.problem and marks.result.status != UNREADABLE:
        return "The grader could not read this; a person has marked it."
    if marks.problem:
        counts = "" if marks.total else " Until then it counts as 0 points."
        return f"Nothing could be graded yet, and that can be put right.{counts}"
    judged = [exercise for exercise in marks.exercises if exercise.status != "waiting"]
    statuses = {exercise.status for exercise in judged}
    lost = len(judged) - marks.right
    if not judged:
        return "Your answers wait for a person."
    if "unknown" in statuses:
        return "Grading did not come to its end, so these marks are not final. Your work is kept."
    if statuses == {"right"}:
        return "Everything is right: every check of every exercise passed. Well done!"
    if statuses == {"blank"}:
        return "Nothing is written yet: every exercise is still yours to solve."
    if lost * 2 < len(judged):
        return f"Most of it is right; {lost} exercise{'s' if lost > 1 else ''} to fix."
    return (
        "Part of it is right, and the rest can be fixed."
        if marks.result.earned > 0
        else "This is not right yet, but it can be."
    )


def number(value: float) -> str:
    """Points to two places, without needless zeros."""
    return f"{round(value, 2) + 0.0:g}" if abs(value) < 100_000 else f"{value:.0f}"


def points(value: float) -> str:
    return f"{number(value)} point{'' if value == 1 else 's'}"


def prose(said: str) -> Markup:
    """Untrusted text as sentences: `code` between backticks, lines as lines, nothing else."""
    escaped = escape(text.visible(said).strip())
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped).replace("\n", "<br>"))


def sentence(said: str) -> Markup:
    """Untrusted text as sentences, the first letter capital if it begins with a word and not with a Python name."""
    return prose(said[:1].upper() + said[1:] if re.match(r"(?:a|[a-z]{3,})[ ,]", said) else said)


def breakable(identifier: str) -> Markup:
    """A name that may be broken after underscores, for narrow screens."""
    return Markup(escape(text.name(identifier)).replace("_", "_<wbr>"))


def names(identifiers: tuple[str, ...]) -> Markup:
    """``a``, ``b`` and ``c``, as code."""
    codes = [Markup(f"<code>{breakable(identifier)}</code>") for identifier in identifiers]
    return Markup(" and ").join([Markup(", ").join(codes[:-1]), codes[-1]] if len(codes) > 1 else codes)


def person(comment: str) -> Markup:
    """A person's comment, which is Markdown."""
    return Markup(markdown.html(comment))


def called(exercise: ExerciseFeedback) -> Markup:
    """The exercise's name: a function as code, a written answer as words."""
    name = breakable(exercise.name)
    return name if exercise.written else Markup(f"<code>{name}</code>")


def _resource(name: str) -> str:
    return (files("coursekit.feedback") / "templates" / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters = (number, points, prose, sentence, names, called, person)
    environment.filters |= {function.__name__: function for function in filters}
    environment.filters |= {"shown_name": text.name, "safe_html": Markup}
    return environment.from_string(_resource("page.html"))

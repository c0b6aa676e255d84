"""One student's result in one assignment, as a value: the only source for all tables, files and pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FINAL, PENDING, UNREADABLE = "final", "pending", "unreadable"
NOT_GRADED, ABSENT = "not graded", "absent"


@dataclass(frozen=True)
class Mark:
    """One exercise of one student. ``reason`` says why marks are lost, ``manual`` whether a person set the mark.

    ``automatic`` is what the grader gave, None where it gave nothing (yet). ``extra_credit`` is part of ``earned``.
    """

    grade_id: str
    earned: float
    points: float
    reason: str = ""
    manual: bool = False
    waiting: bool = False  # for a person
    judged: bool = True  # False: grading was not completed; ``earned`` has no meaning
    automatic: float | None = None
    extra_credit: float = 0.0

    @property
    def unread(self) -> bool:
        """Whether the exercise has no mark, neither automatic nor manual."""
        return self.waiting and not self.manual and self.automatic is None


@dataclass(frozen=True)
class Returned:
    """When one student's work was returned, in UTC, and with which total."""

    at: datetime
    total: float


@dataclass(frozen=True)
class StudentMarks:
    """All marks of one student in one assignment, in the order of the notebook, with due date and late penalty.

    Times are UTC, as in nbgrader. ``due`` is the assignment's due date, ``extension`` this student's extension of it.
    ``penalty`` is the recorded one; it may be larger than the sum of the marks if a person has lowered a mark since.
    """

    student: str
    assignment: str
    marks: tuple[Mark, ...]
    penalty: float = 0.0
    submitted: datetime | None = None
    due: datetime | None = None
    extension: timedelta | None = None
    absent: bool = False  # in the gradebook, without a submission
    entered: bool = True  # the gradebook has a submission, whose grading may not be completed
    problem: str = ""  # why there was nothing in it to grade
    returned: Returned | None = None

    @property
    def judged(self) -> bool:
        """Whether every exercise was judged; if not, the submission has to be graded again."""
        return all(mark.judged for mark in self.marks)

    @property
    def started(self) -> bool:
        """Whether any exercise has a mark."""
        return any(mark.judged for mark in self.marks)

    @property
    def status(self) -> str:
        """``final``, or why the total is not: ``pending``, ``unreadable``, ``not graded``, ``absent``.

        An unreadable submission has 0 points, as in nbgrader's export, until there is a new one or a person marks it.
        """
        if self.absent:
            return ABSENT
        if not self.judged:
            return NOT_GRADED
        if self.problem and not all(mark.manual for mark in self.marks):
            return UNREADABLE
        return PENDING if self.pending else FINAL

    @property
    def pending(self) -> tuple[Mark, ...]:
        """The exercises that wait for a person: for a first mark, or for a review of their mark."""
        return tuple(mark for mark in self.marks if mark.waiting and mark.judged)

    @property
    def earned(self) -> float:
        """The sum over the exercises, with extra credit, before any penalty; an exercise without a mark counts 0."""
        return sum(mark.earned for mark in self.marks)

    @property
    def extra_credit(self) -> float:
        return sum(mark.extra_credit for mark in self.marks)

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def total(self) -> float:
        """The sum less the penalty, never below 0, as in `nbgrader export`."""
        return max(0.0, self.earned - self.penalty)

    @property
    def taken_off(self) -> float:
        """By how much the penalty lowers the total."""
        return self.earned - self.total if self.penalty else 0.0

    @property
    def extended_until(self) -> datetime | None:
        return self.due + self.extension if self.due and self.extension else None

    @property
    def late(self) -> timedelta:
        """The time of submission after the student's own due date; zero if it was in time, or if that is unknown."""
        due = self.extended_until or self.due
        return max(timedelta(), self.submitted - due) if self.submitted and due else timedelta()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks that belong to the total: its status, lateness, extension, return."""
        said = [] if self.status == FINAL else [self.status]
        if self.late:
            said.append(f"late by {format_duration(self.late)}")
        if until := self.extended_until:
            said.append(f"extended until {format_time(until)}")
        if self.returned:
            other = abs(self.returned.total - self.total) > 1e-9
            said.append("returned" + f" with {format_number(self.returned.total)}" * other)
        return tuple(said)


def format_number(value: float) -> str:
    """A mark without needless zeros and without rounding errors of binary fractions."""
    return f"{round(value, 6) + 0.0:.12g}"


def format_time(when: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def format_duration(time: timedelta) -> str:
    """The two largest units: ``1 day 2 h``, ``3 h 5 min``, ``40 s``."""
    seconds = int(time.total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} day{'s' * (days != 1)}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{max(1, seconds)} s"

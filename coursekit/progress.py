"""How far a long run is: a bar with rate, time left and failures on a terminal, now and then a line in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

EVERY_S = 10.0  # between two lines in a log


class Advance(Protocol):
    """One more is done: it ``failed``, or was ``skipped``, and then counts neither as done nor as to be done."""

    def __call__(self, *, failed: bool = False, skipped: bool = False) -> None: ...


@dataclass
class Tally:
    """What is done of how many, since when; in words."""

    total: int
    done: int = 0
    failed: int = 0
    first: float = 0.0  # when the first one was done: before that, workers were started

    def add(self, failed: bool, skipped: bool) -> None:
        self.total -= skipped
        self.done += not skipped
        self.failed += failed
        if self.done == 1 and not skipped:
            self.first = time.monotonic()

    @property
    def words(self) -> str:
        said = []
        if self.done > 1:
            each_s = max(time.monotonic() - self.first, 1e-3) / (self.done - 1)
            said = [f"{_rate(60 / each_s)} a minute", f"{_duration(each_s * (self.total - self.done))} left"]
        return ", ".join([*said, *([f"{self.failed} failed"] if self.failed else [])])


def _rate(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def shown(
    what: str, total: int, console: Console, say: Callable[[str], None], quiet: bool = False
) -> Iterator[Advance]:
    """``advance`` shows that one more is done, by whatever suits where it is read; ``quiet`` by nothing."""
    if console.is_terminal and not quiet:
        yield from _bar(what, total, console)
    else:
        yield _lines(what, Tally(total), say, quiet)


def _bar(what: str, total: int, console: Console) -> Iterator[Advance]:
    tally = Tally(total)
    words = TextColumn("{task.fields[words]}")
    with Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), words, console=console) as bar:
        task = bar.add_task(what, total=total, words="")

        def advance(*, failed: bool = False, skipped: bool = False) -> None:
            tally.add(failed, skipped)
            bar.update(task, completed=tally.done, total=tally.total, words=tally.words)

        yield advance


def _lines(what: str, tally: Tally, say: Callable[[str], None], quiet: bool) -> Advance:
    said_at = time.monotonic()

    def advance(*, failed: bool = False, skipped: bool = False) -> None:
        nonlocal said_at
        tally.add(failed, skipped)
        if not quiet and time.monotonic() - said_at >= EVERY_S and tally.done < tally.total:
            said_at = time.monotonic()
            say(", ".join(filter(None, [f"{what}: {tally.done} of {tally.total}", tally.words])))

    return advance

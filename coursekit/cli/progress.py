"""The progress of a long run: a bar with rate, time left and failures on a terminal, lines in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from coursekit.reports.printable import printable

EVERY_S = 10.0  # between two lines in a log


class Advance(Protocol):
    """Report that ``name`` is done. ``failed``: counted as a failure; ``skipped``: not counted at all."""

    def __call__(self, name: str = "", *, failed: bool = False, skipped: bool = False) -> None: ...


@dataclass
class Tally:
    """The numbers of a run, and its rate in words; ``total`` is None if unknown."""

    total: int | None
    done: int = 0
    failed: int = 0
    first: float = 0.0  # time when the first was done; the rate excludes the start of the workers

    def add(self, failed: bool, skipped: bool) -> None:
        if self.total is not None:
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
            said = [f"{_rate(60 / each_s)} a minute"]
            said += [] if self.total is None else [f"{_duration(each_s * (self.total - self.done))} left"]
        return ", ".join([*said, *([f"{self.failed} failed"] if self.failed else [])])


def _rate(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def advancing(
    what: str, total: int | None, console: Console, say: Callable[[str], None], quiet: bool = False, each: bool = False
) -> Iterator[Advance]:
    """Yield a function that reports progress: by a bar on a terminal, by lines elsewhere, not at all if ``quiet``.

    ``each``: print a line with the name for each; otherwise at most one line in ``EVERY_S``.
    """
    if quiet:
        yield _nothing
    elif console.is_terminal:
        yield from _bar(what, total, console)
    else:
        yield (_each if each else _from_time_to_time)(what, Tally(total), say)


def _nothing(name: str = "", *, failed: bool = False, skipped: bool = False) -> None:
    pass


def _bar(what: str, total: int | None, console: Console) -> Iterator[Advance]:
    tally = Tally(total)
    words = TextColumn("{task.fields[words]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), words)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, words="")

        def advance(name: str = "", *, failed: bool = False, skipped: bool = False) -> None:
            tally.add(failed, skipped)
            now = f"{what} {escape(printable(name, 'utf-8'))}".rstrip()
            bar.update(task, description=now, completed=tally.done, total=tally.total, words=tally.words)

        yield advance


def _each(what: str, tally: Tally, say: Callable[[str], None]) -> Advance:
    def advance(name: str = "", *, failed: bool = False, skipped: bool = False) -> None:
        tally.add(failed, skipped)
        say(f"{what} {tally.done}{f'/{tally.total}' if tally.total else ''}: {name}")

    return advance


def _from_time_to_time(what: str, tally: Tally, say: Callable[[str], None]) -> Advance:
    said_at = time.monotonic()

    def advance(name: str = "", *, failed: bool = False, skipped: bool = False) -> None:
        nonlocal said_at
        tally.add(failed, skipped)
        if time.monotonic() - said_at >= EVERY_S and (tally.total is None or tally.done < tally.total):
            said_at = time.monotonic()
            of = "" if tally.total is None else f" of {tally.total}"
            say(", ".join(filter(None, [f"{what}: {tally.done}{of}", tally.words])))

    return advance

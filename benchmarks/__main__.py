"""``python -m benchmarks``: measures, and prints one table."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.parts import PARTS, Plan, Row
from coursekit.model.course import Course

ROOT = Path(__file__).resolve().parent.parent


def main(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Which of: {', '.join(PARTS)}; all, if none is named.")
    ] = None,
    assignment: Annotated[str, typer.Option(help="The assignment that the class hands in.")] = "step-by-step",
    size: Annotated[int, typer.Option(min=2, help="Submissions of our class.")] = 200,
    stock: Annotated[int, typer.Option(min=1, help="Submissions that nbgrader grades.")] = 12,
    limit: Annotated[int, typer.Option(min=2, help="Notebooks whose cells are run and nothing else.")] = 80,
    jobs: Annotated[int, typer.Option(min=1, help="Workers.")] = 2,
    pairs: Annotated[int, typer.Option(min=1, help="Submissions marked with twins and without.")] = 24,
    full: Annotated[bool, typer.Option("--full", help="The cost in a class of 1,000, too.")] = False,
) -> None:
    """Measure grading, and print one table with ratios. Every ratio is between two figures of this very run."""
    chosen = list(parts or PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        raise typer.BadParameter(f"{unknown[0]}: choose from {', '.join(PARTS)}")
    sizes = tuple(sorted({min(10, size), min(50, size), size} | ({1000} if full else set())))
    begun, load = time.perf_counter(), os.getloadavg()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        plan = Plan(Course(ROOT), assignment, Path(folder), size, stock, limit, jobs, sizes, pairs, say=_tell)
        for name in chosen:
            rows += PARTS[name](plan)
    after = os.getloadavg()
    told = (
        f"{os.cpu_count()} cores; load {load[0]:.1f} before, {after[0]:.1f} after; {time.perf_counter() - begun:.0f} s"
    )
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table(rows, f"{assignment}: {told}"))


def table(rows: list[Row], caption: str) -> Table:
    """All rows, a rule between the parts."""
    made = Table("", "what", "figure", "ratio", "goal", "", caption=caption, header_style="bold", pad_edge=False)
    for row, behind in zip(rows, [*rows[1:], None], strict=True):
        met = "" if row.met is None else "[green]met[/]" if row.met else "[bold red]missed[/]"
        made.add_row(row.part, row.what, row.figure, row.ratio, row.goal, met,
                     end_section=behind is None or behind.part != row.part)  # fmt: skip
    return made


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # so that it also runs as a file
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()

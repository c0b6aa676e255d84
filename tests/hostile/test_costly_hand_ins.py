"""A few hostile hand-ins of the benchmark, so that the suite keeps what was won. All: ``benchmarks.hostile``."""

import dataclasses
from dataclasses import asdict

import pytest

from benchmarks import costly, hostile
from benchmarks.costly import holding
from benchmarks.costly.kit import ALL, ASSIGNMENT, NOTHING_LOST, POINTS, Costly
from benchmarks.costs import Cost, Meter
from benchmarks.hostile import HONEST, Measured

# One that strains each step: reading, rebuilding, comparing, rendering, writing. Each asks for little of the machine.
HANDFUL = (
    "millions of fractions",
    "five cells of 50,000 assignments in a row",
    "a dict of 20,000 arrays",
    "Markdown: <div> in each other",
    "200 files of 256 KiB",
)
LATE = "late"
MARGIN = 2  # on the benchmark's goals: this machine may be busy, and caches cold


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cost]:
    inputs = hostile.class_of(HANDFUL)
    course = hostile.prepared(tmp_path_factory.mktemp("hostile"))
    for student, one in inputs.items():
        one.write(course.submitted(ASSIGNMENT, student))
    with Meter(course.root, ASSIGNMENT, asdict(holding.SHORT), HONEST) as meter:
        found = {one.name: meter.cost(student, 250) for student, one in inputs.items()}
        return found | {HONEST: meter.cost(HONEST, 250), LATE: meter.cost(HONEST, 0.01)}


@pytest.mark.parametrize("name", HANDFUL)
def test_a_costly_hand_in_has_its_marks_harms_nobody_and_costs_the_grader_little(
    measured: dict[str, Cost], name: str
) -> None:
    one, honest = measured[name], measured[HONEST]
    assert one.failure == ""
    assert one.harm == ""
    assert hostile.wrong_marks(costly.INPUTS[name], one) == ""
    assert one.cpu_s < MARGIN * hostile.CPU_GOAL * honest.cpu_s
    assert one.memory_mib < MARGIN * hostile.MEMORY_GOAL_MIB


def test_a_measurement_that_takes_too_long_is_stopped_and_fails(measured: dict[str, Cost]) -> None:
    """Else a grader that never ends would never be told."""
    assert measured[LATE].failure == "stopped after 0.01 s"
    late = Measured(costly.INPUTS[HANDFUL[0]], measured[LATE])
    assert late.missed(measured[HONEST], 30)[0] == "stopped after 0.01 s"


def test_every_goal_that_is_missed_is_named() -> None:
    honest = Cost(HONEST, 0.1, 0.1, 0.1, memory_mib=10, marks=POINTS)
    one = Costly("one", "parsing", lambda folder: None)

    def missed(page_s: float | None = None, held_s: float = 1.0, **figures: float) -> list[str]:
        cost = dataclasses.replace(honest, held_s=held_s, **figures)
        return Measured(one, cost, page_s).missed(honest, 30)

    assert missed() == missed(page_s=2.9) == missed(memory_mib=309) == missed(marking_s=2.7) == []
    assert missed(marking_s=2.9) == ["processor time"]
    assert missed(memory_mib=311) == ["memory"]
    assert missed(held_s=36) == ["holds a worker"]
    assert missed(page_s=3.1) == ["Formgrader"]


def test_marks_that_are_not_deserved_are_named() -> None:
    def wrong(lost: frozenset[str], *without: str, problem: str = "", refusable: bool = False) -> str:
        marks = {name: points for name, points in POINTS.items() if name not in without}
        one = Costly("one", "parsing", lambda folder: None, lost, refusable)
        return hostile.wrong_marks(one, Cost(HONEST, marks=marks, problem=problem))

    assert wrong(NOTHING_LOST) == wrong(frozenset({"compute_cost"}), "compute_cost") == wrong(ALL, *ALL) == ""
    assert wrong(NOTHING_LOST, "compute_cost") == "lost marks: compute_cost"
    assert wrong(frozenset({"compute_cost"})) == "has marks for compute_cost"
    assert wrong(NOTHING_LOST, *ALL, problem="too large", refusable=True) == ""
    assert wrong(NOTHING_LOST, *ALL, refusable=True) == "lost marks: 10 functions"


def test_the_catalogue_has_sixty_inputs_and_no_name_twice() -> None:
    assert sum(len(group.INPUTS) for group in costly.GROUPS) == len(costly.INPUTS) >= 60

"""Hostile and damaged hand-ins by name, each of which attacks what the grader itself has to do."""

from benchmarks.costly import (
    archives,
    comparing,
    damaged,
    holding,
    parsing,
    rebuilding,
    rendering,
    writing,
)  # fmt: skip
from benchmarks.costly.kit import Costly

GROUPS = (comparing, rendering, rebuilding, writing, parsing, archives, damaged, holding)
INPUTS: dict[str, Costly] = {one.name: one for group in GROUPS for one in group.INPUTS}

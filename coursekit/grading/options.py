"""How submissions are graded, as one value: limits, isolation, and where the work is done."""

from dataclasses import dataclass, field

from coursekit.marking.limits import TimeLimits


@dataclass(frozen=True)
class GradingOptions:
    """The options of one grading run. Marks do not depend on where the work is done.

    ``jobs`` processes of this computer work in parallel; or a Dask cluster, at the address ``scheduler``.
    ``sandbox``: "auto" for the best isolation that this computer offers, "none" for no isolation.
    """

    limits: TimeLimits = field(default_factory=TimeLimits)
    jobs: int = 1
    sandbox: str = "auto"
    scheduler: str = ""


@dataclass(frozen=True)
class Again:
    """What is graded again, or recorded, that otherwise would not be.

    ``force``: what is up to date. ``accept``: marks that change only because another version of the grader, or other
    limits, give other ones. ``returned``: what the students already have back.
    """

    force: bool = False
    accept: bool = False
    returned: bool = False


DEFAULTS = GradingOptions()
ONLY_OUTDATED = Again()

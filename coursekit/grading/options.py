"""How submissions are graded, as one value: limits, isolation, and who does the work."""

from dataclasses import dataclass, field

from coursekit.marking.limits import TimeLimits


@dataclass(frozen=True)
class GradingOptions:
    """The options of one grading run. No mark depends on who does the work.

    ``jobs`` processes of this machine work side by side; or a Dask cluster, at the address of its ``scheduler``.
    ``sandbox``: "auto" for the best isolation that the machine has, "none" for none at all.
    """

    limits: TimeLimits = field(default_factory=TimeLimits)
    jobs: int = 1
    sandbox: str = "auto"
    scheduler: str = ""


DEFAULTS = GradingOptions()

"""How submissions are graded, as one value: limits, isolation, and where the work is done."""

from dataclasses import dataclass, field, replace
from typing import Any

from traitlets import Bool, Enum, Float, HasTraits, Integer, TraitError
from traitlets.config.loader import DeferredConfig

from coursekit.marking.limits import TimeLimits
from coursekit.marking.marker import SANDBOXES
from coursekit.model import settings
from coursekit.model.errors import CourseError, one_line
from coursekit.system import processors


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


class _Section(HasTraits):
    """The options for grading in the section ``CourseKit`` of the configuration."""

    cell_timeout_s = Float(DEFAULTS.limits.cell_timeout_s, min=1)
    call_timeout_s = Float(DEFAULTS.limits.call_timeout_s, min=0.1)
    run_experiments = Bool(False)
    sandbox = Enum(SANDBOXES, DEFAULTS.sandbox)
    jobs = Integer(0, min=0)  # 0: one per processor


def configured(config: Any, **given: Any) -> GradingOptions:
    """The options that the configuration sets in its section ``CourseKit``; those that are ``given`` override them.

    Raises CourseError for a value that an option cannot have.
    """
    section = _Section()
    found = {name: value for name, value in config.get(settings.SECTION, {}).items() if section.has_trait(name)}
    for name, value in {**found, **{name: value for name, value in given.items() if value is not None}}.items():
        try:
            text = isinstance(value, DeferredConfig)  # from the command line of an nbgrader application
            setattr(section, name, value.get_value(section.traits()[name]) if text else value)
        except (TraitError, ValueError) as error:
            where = f"{settings.CONFIG}: {settings.SECTION}.{name}"
            raise CourseError(where, f"it cannot be used ({one_line(error)})", "fix it") from None
    limits = _limits(section.cell_timeout_s, section.call_timeout_s, section.run_experiments)
    return GradingOptions(limits, section.jobs or processors.available(), section.sandbox)


def _limits(cell_timeout_s: float, call_timeout_s: float, experiments: bool) -> TimeLimits:
    """The limits with these timeouts: a longer one for cells also extends those of notebook and submission."""
    usual = DEFAULTS.limits
    notebook_s = max(usual.notebook_timeout_s, 10.0 * cell_timeout_s)  # else it would end such a cell
    return replace(
        usual,
        cell_timeout_s=cell_timeout_s,
        call_timeout_s=call_timeout_s,
        notebook_timeout_s=notebook_s,
        submission_timeout_s=usual.submission_timeout_s - usual.notebook_timeout_s + notebook_s,
        experiments=experiments,
    )

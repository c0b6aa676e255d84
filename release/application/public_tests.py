"""The public tests: one ``<name>_test(target)`` per exercise in the ``cases.py`` of the notebook's folder.

The expected outputs are recorded in ``recorded.npz``; ``selfcheck`` makes the tests. Generators of inputs that are
defined in ``cases.py`` can be imported from here too.
"""

from pathlib import Path

import cases

from selfcheck import recordings
from selfcheck.testing import Suite

SUITE = Suite(cases.EXERCISES, Path(cases.__file__).with_name(recordings.NAME))
TESTERS = SUITE.testers()
_NAMES = TESTERS | SUITE.generators()
globals().update(_NAMES)
warm_up = SUITE.warm_up  # the grader calls it once for all submissions
__all__ = [*_NAMES]

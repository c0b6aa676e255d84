"""What a student can run: one ``<name>_test(target)`` per exercise in the ``cases.py`` of the notebook's folder.

Generators of inputs that stand in ``cases.py`` have their names here, too.

What is right is recorded in ``recorded.npz``; how a test is made of the two, ``selfcheck`` says.
"""

from pathlib import Path

import cases

from selfcheck import recordings
from selfcheck.testing import Suite

SUITE = Suite(cases.EXERCISES, Path(cases.__file__).with_name(recordings.NAME))
TESTERS = SUITE.testers()
_NAMES = TESTERS | SUITE.generators()
globals().update(_NAMES)
warm_up = SUITE.warm_up  # the grader calls it once for a whole class
__all__ = [*_NAMES]

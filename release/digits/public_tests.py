"""What a student can run: one ``<function>_test(target)`` per exercise; those of `digits` have ``digits_`` in front.

The examples stand in ``public_cases``, what is recorded of them in ``public_tests.h5``, the mistakes that are
recognised in ``public_mistakes.h5``; how a test is made of these, in the folder ``selfcheck``.
"""

from pathlib import Path

from public_cases import EXERCISES
from selfcheck.testing import Suite

SUITE = Suite(EXERCISES, Path(__file__).with_name("public_tests.h5"), Path(__file__).with_name("public_mistakes.h5"))
read_recordings = SUITE.read_recordings  # for the grader
TESTERS = SUITE.testers()
globals().update(TESTERS)
__all__ = [*TESTERS]

"""How far a right number may be from the recorded one."""

import numpy as np

# Double precision in any order of summing stays below 1e-12 here; the smallest mistake that counts is far above 1e-6
# of a value.
RTOL, ATOL = 1e-7, 1e-10


def close(a, b):
    """Whether two arrays have the same shape and, within the tolerance, the same numbers; a nan equals nothing."""
    return a.shape == b.shape and np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=False)

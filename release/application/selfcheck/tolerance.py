"""The tolerance for comparing a returned number with the recorded one."""

import numpy as np

# In double precision, another order of summation changes results by less than 1e-12 here; the smallest mistake that
# counts changes a value by far more than 1e-6 of it.
RTOL, ATOL = 1e-7, 1e-10


def close(a, b):
    """Whether two arrays have the same shape and equal numbers within the tolerance; nan is never equal."""
    return a.shape == b.shape and np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=False)

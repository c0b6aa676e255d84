"""Installed versions that may influence a mark. Imports nothing of the course."""

import os
import sys
from importlib import metadata

PACKAGES = ("numpy", "h5py", "ipython", "matplotlib", "nbformat", "nbgrader")
# Environment variables that influence the arithmetic of NumPy; the sandbox gets the same values.
ARITHMETIC = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")


def installed() -> dict[str, str]:
    """The versions of Python and of packages that may influence results, and NumPy's settings for arithmetic."""
    return {
        "python": sys.version,
        "packages": " ".join(f"{name}={_version(name)}" for name in PACKAGES),
        "arithmetic": " ".join(f"{name}={os.environ[name]}" for name in ARITHMETIC if name in os.environ),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""

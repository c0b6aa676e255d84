"""What is installed here that may show in a mark. Imports nothing of the course."""

import os
import sys
from importlib import metadata

PACKAGES = ("numpy", "h5py", "ipython", "matplotlib", "nbformat", "nbgrader")
# What the arithmetic of NumPy depends on; a sandbox gets them as they are here.
ARITHMETIC = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")


def installed() -> dict[str, str]:
    """Python, the packages whose versions may show in a result, and how NumPy was told to compute."""
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

"""What is recorded of an exercise: the right outputs of each case, by name."""

from functools import lru_cache

import numpy as np


def recorded(path, key, case_name):
    """The recorded outputs of one case as ``{name: array}``, from a file that ``coursekit record`` wrote."""
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not beside {path.stem}.py")
    state = path.stat()
    return {
        name: array.copy() for name, array in _recorded(path, state.st_mtime_ns, state.st_size, key)[case_name].items()
    }


@lru_cache(maxsize=64)
def _recorded(path, changed, size, key):
    """All cases of an exercise, as the file was when it had been changed then and was so large."""
    import h5py  # here, because most uses of this module never open the file

    def outputs(group):
        names = sorted(group, key=lambda name: group[name].attrs["position"])
        return {name: np.asarray(group[name][()]) for name in names}

    with h5py.File(path, "r") as file:
        return {case_name: outputs(group) for case_name, group in file[key].items()}

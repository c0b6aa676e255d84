"""Writes the data sets of the course from the handwritten digits that scikit-learn bundles.

Run ``python hidden/write_data.py`` in the course directory; only this script needs scikit-learn. The files are
committed, so it is not run again. The same version of h5py writes the same bytes.

digits.h5 has the 1,797 images in scikit-learn's order. The pair of files for the yes/no question "is the digit even?"
has the same images shuffled with ``RandomState(0)``: the first 1,437 for training, the other 360 for the test. All are
images of UCI's test set, from 13 writers, so the same writers are in both parts.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from coursekit import CHECKOUT
from coursekit.model.errors import CourseError
from coursekit.system import atomic_write

ORIGIN = {
    "credit": "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, "
    "UCI Machine Learning Repository, 1998, doi:10.24432/C50P49",
    "licence": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "source": "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits, "
    "the test part (1,797 images), as scikit-learn bundles it: sklearn.datasets.load_digits",
}
TRAIN = 1437  # four fifths
CLASSES = np.array([b"odd", b"even"])  # label 1 is "even"
BRIGHTEST = 16  # each pixel is the number of inked dots in a 4x4 block


def bundled_digits() -> tuple[np.ndarray, np.ndarray]:
    """The images (1797, 8, 8), whole numbers from 0 to 16, and the digits (1797,), both uint8."""
    try:
        bundle = import_module("sklearn.datasets").load_digits()
    except ImportError as error:
        raise CourseError(
            "hidden/write_data.py", "scikit-learn is not installed", "pip install scikit-learn"
        ) from error
    return bundle.images.astype(np.uint8), bundle.target.astype(np.uint8)


def contents(images: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """The data sets of each file by name; the files by path in the course."""
    order = np.random.RandomState(0).permutation(len(images))
    grey = (images.astype(int) * 255 + BRIGHTEST // 2) // BRIGHTEST
    x = np.repeat(grey.astype(np.uint8)[..., np.newaxis], 3, axis=3)
    y = (labels % 2 == 0).astype(np.int64)
    train, test = order[:TRAIN], order[TRAIN:]
    return {
        "source/application/datasets/train_evenodd.h5": {
            "train_set_x": x[train],
            "train_set_y": y[train],
            "list_classes": CLASSES,
        },
        "source/application/datasets/test_evenodd.h5": {
            "test_set_x": x[test],
            "test_set_y": y[test],
            "list_classes": CLASSES,
        },
        "source/digits/datasets/digits.h5": {"images": images, "labels": labels},
    }


def write(path: Path, content: dict[str, np.ndarray]) -> None:
    """Write the data sets to ``path``, compressed, with their origin as attributes."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write.replacing(path) as part, h5py.File(part, "w", libver=("v108", "v108")) as file:
        file.attrs.update(ORIGIN)
        for name, value in content.items():
            packed: dict[str, Any] = {}
            if value.ndim > 1:  # one chunk: a fifth smaller than with h5py's default chunks
                packed = {"compression": "gzip", "compression_opts": 9, "chunks": value.shape}
            file.create_dataset(name, data=value, track_times=False, **packed)


def write_all(root: Path) -> list[Path]:
    """Write all data files of the course at ``root``; return their paths."""
    files = contents(*bundled_digits())
    for name, content in files.items():
        write(root / name, content)
    return [root / name for name in files]


def main() -> None:
    try:
        for path in write_all(CHECKOUT):
            print(f"{path}: {path.stat().st_size:,} bytes")
    except CourseError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()

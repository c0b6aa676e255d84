"""The loaders: every format that they read, every kind of damage that they name, and the memory that they need."""

import gzip
import importlib.util
import os
import pickle
import re
import struct
import tempfile
import tracemalloc
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursekit.model.errors import CourseError
from dnn.data_files import DataFileError, load_data, load_digits
from tests.tables import COURSE

ROOT = COURSE.root
_SPEC = spec_from_file_location("write_data", COURSE.root / "hidden/write_data.py")
datasets = module_from_spec(_SPEC)
_SPEC.loader.exec_module(datasets)
DIGITS = ROOT / "source/digits/datasets/digits.h5"
EVENODD = tuple(ROOT / f"source/application/datasets/{part}_evenodd.h5" for part in ("train", "test"))
NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
NO_LIMIT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def some(count, height=4, width=3, seed=0):
    random = np.random.RandomState(seed)
    return random.randint(0, 256, (count, height, width)).astype(np.uint8), np.arange(count, dtype=np.uint8) % 10


def idx(array):
    """The bytes of an IDX file, from its description: magic, axes big end first, the values row by row."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder, train=(7, 0), test=(4, 1), packed=False, dotted=False):
    """A folder as MNIST is downloaded; (count, seed) of each part."""
    for part, (count, seed) in (("train", train), ("test", test)):
        for name, array in zip(NAMES[part], some(count, seed=seed), strict=True):
            name = name.replace("-idx", ".idx") if dotted else name
            content = idx(array)
            (folder / f"{name}.gz" if packed else folder / name).write_bytes(
                gzip.compress(content) if packed else content
            )
    return folder


def four(train=(7, 0), test=(4, 1)):
    (x_train, y_train), (x_test, y_test) = some(train[0], seed=train[1]), some(test[0], seed=test[1])
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def write_h5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name] = value
    return path


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


FORMATS = {
    "IDX": write_mnist,
    "IDX, gzip": lambda folder: write_mnist(folder, packed=True),
    "IDX, with dots": lambda folder: write_mnist(folder, dotted=True),
    "npz": lambda folder: write_npz(folder / "mnist.npz", **four()),
    "npz, compressed": lambda folder: np.savez_compressed(folder / "mnist.npz", **four()) or folder / "mnist.npz",
    "h5": lambda folder: write_h5(folder / "mnist.h5", **four()),
}


# --- what is read


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", ["train", "test", None])
def test_mnist_is_read_in_every_format(tmp_path, kind, part):
    whole = four()
    parts = ["train", "test"] if part is None else [part]
    images, labels = load_digits(FORMATS[kind](tmp_path), part=part)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.array_equal(images, np.concatenate([whole[f"x_{each}"] for each in parts]))
    assert np.array_equal(labels, np.concatenate([whole[f"y_{each}"] for each in parts]))


SLICES = [
    0,
    3,
    9,
    99,
    slice(2, 6),
    slice(1, None, 3),
    slice(-3, None),
    slice(6, 9),
    slice(7, 8),
    slice(5, 2),
    slice(None),
]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("first", SLICES, ids=str)
def test_a_slice_is_the_slice_of_the_whole(tmp_path, kind, first):
    """Seven examples for training and four for the test: some slices go over the border."""
    path = FORMATS[kind](tmp_path)
    cut = first if isinstance(first, slice) else slice(first)
    for read, whole in zip(load_digits(path, first=first), load_digits(path), strict=True):
        assert np.array_equal(read, whole[cut])
        assert read.dtype == whole.dtype


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_the_file_of_images_finds_its_labels(tmp_path, packed):
    write_mnist(tmp_path, packed=packed)
    name = NAMES["test"][0] + (".gz" if packed else "")
    images, labels = load_digits(tmp_path / name)
    assert np.array_equal(images, some(4, seed=1)[0])
    assert labels.tolist() == [0, 1, 2, 3]


def test_a_download_that_the_browser_unpacked_is_read_all_the_same(tmp_path):
    """Some programs unpack a .gz and leave its name."""
    for name, array in zip(NAMES["train"], some(5), strict=True):
        (tmp_path / f"{name}.gz").write_bytes(idx(array))
    assert load_digits(tmp_path, part="train")[0].shape == (5, 4, 3)


def test_the_classic_pair_of_cats_is_read(tmp_path):
    """The layout of train_catvnoncat.h5 and its sister: 64 x 64 in colour, labels int64, two names."""
    random = np.random.RandomState(2)
    x = random.randint(0, 256, (9, 64, 64, 3)).astype(np.uint8)
    y, names = np.array([0, 1, 0, 0, 1, 1, 0, 1, 1]), np.array([b"non-cat", b"cat"])
    train = write_h5(tmp_path / "train_catvnoncat.h5", train_set_x=x[:6], train_set_y=y[:6], list_classes=names)
    test = write_h5(tmp_path / "test_catvnoncat.h5", test_set_x=x[6:], test_set_y=y[6:], list_classes=names)
    train_x, train_y, test_x, test_y, classes = load_data(train, test)
    assert np.array_equal(train_x, x[:6])
    assert np.array_equal(test_x, x[6:])
    assert (train_y.tolist(), test_y.tolist()) == ([[0, 1, 0, 0, 1, 1]], [[0, 1, 1]])
    assert classes.tolist() == [b"non-cat", b"cat"]
    some_x, some_y, *_ = load_data(train, test, first=slice(1, 6, 2))
    assert np.array_equal(some_x, x[1:6:2])
    assert some_y.tolist() == [[1, 0, 1]]


def test_names_of_classes_may_have_any_length(tmp_path):
    """Written as Python text they are variable-length strings in HDF5."""
    x = np.zeros((2, 3, 4, 3), np.uint8)
    train = write_h5(tmp_path / "train.h5", train_set_x=x, train_set_y=[0, 1])
    test = write_h5(tmp_path / "test.h5", test_set_x=x, test_set_y=[1, 0], list_classes=["non-cat", "cat"])
    assert load_data(train, test)[4].tolist() == [b"non-cat", b"cat"]


def test_the_defaults_are_the_data_beside_the_notebook(monkeypatch):
    monkeypatch.chdir(EVENODD[0].parents[1])
    assert [array.shape for array in load_data()] == [(1437, 8, 8, 3), (1, 1437), (360, 8, 8, 3), (1, 360), (2,)]
    monkeypatch.chdir(DIGITS.parents[1])
    assert [array.shape for array in load_digits()] == [(1797, 8, 8), (1797,)]


# --- a pair of files


@pytest.fixture
def pair(tmp_path):
    """A function that writes a good pair of files; a keyword changes a dataset, None leaves it out."""

    def write(**changes):
        random = np.random.RandomState(0)
        content = {
            "train_set_x": random.randint(0, 256, (5, 4, 3, 3)).astype(np.uint8),
            "train_set_y": np.array([1, 0, 0, 1, 1]),
            "test_set_x": random.randint(0, 256, (2, 4, 3, 3)).astype(np.uint8),
            "test_set_y": np.array([0, 1]),
            "list_classes": np.array([b"other", b"seven"]),
        } | changes
        paths = tmp_path / "train.h5", tmp_path / "test.h5"
        for path, belongs in zip(paths, (True, False), strict=True):
            with h5py.File(path, "w") as file:
                for name, value in content.items():
                    if value is not None and name.startswith("train") == belongs:
                        file[name] = value
        return paths

    return write


def test_a_pair_of_files_comes_back_with_labels_as_rows(pair):
    train_x, train_y, test_x, test_y, classes = load_data(*pair())
    assert (train_x.shape, train_x.dtype) == ((5, 4, 3, 3), np.uint8)
    assert train_y.tolist() == [[1, 0, 0, 1, 1]]
    assert (test_x.shape, test_y.tolist()) == ((2, 4, 3, 3), [[0, 1]])
    assert classes.tolist() == [b"other", b"seven"]


def test_paths_may_be_text(pair):
    train, test = pair()
    assert load_data(str(train), str(test))[0].shape == (5, 4, 3, 3)


def test_a_missing_file_is_named(pair):
    train, test = pair()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h5: no such file; .*train_set_x, train_set_y"):
        load_data(train.with_name("nowhere.h5"), test)


def test_a_folder_is_not_a_file(pair):
    train, test = pair()
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_data(train.parent, test)


def test_a_file_that_is_not_hdf5_is_named(pair):
    train, test = pair()
    test.write_bytes(b"<html>404 not found</html>")
    with pytest.raises(ValueError, match=r"test\.h5: not an HDF5 file, it begins with b'<html>40'; get a fresh"):
        load_data(train, test)


def test_half_a_download_is_named(pair):
    train, test = pair()
    train.write_bytes(train.read_bytes()[: train.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"train\.h5: cut off; get a fresh copy of the file"):
        load_data(train, test)


@pytest.mark.parametrize("name", ["train_set_x", "train_set_y", "test_set_x", "test_set_y", "list_classes"])
def test_a_missing_dataset_is_named_with_what_is_there(pair, name):
    file = "train" if name.startswith("train") else "test"
    with pytest.raises(ValueError, match=rf"{file}\.h5: found .*, but no {name}; use an HDF5 file"):
        load_data(*pair(**{name: None}))


def test_a_group_in_place_of_a_dataset_counts_as_missing(pair):
    train, test = pair(train_set_y=None)
    with h5py.File(train, "a") as file:
        file.create_group("train_set_y")
    with pytest.raises(ValueError, match="but no train_set_y"):
        load_data(train, test)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((5, 36), np.uint8),
        np.zeros((5, 4, 3), np.uint8),
        np.zeros((5, 4, 3, 4), np.uint8),
        np.zeros((5, 4, 3, 3)),
    ],
    ids=["flat", "no colours", "four colours", "not uint8"],
)
def test_images_of_another_shape_or_type_are_refused(pair, images):
    found = re.escape(f"{images.shape} and type {images.dtype}")
    with pytest.raises(ValueError, match=rf"train\.h5: train_set_x has shape {found}; .*\(m, height, width, 3\)"):
        load_data(*pair(train_set_x=images))


@pytest.mark.parametrize("labels", [np.zeros(3), np.zeros((1, 2)), np.zeros((2, 1))], ids=["count", "row", "column"])
def test_labels_that_do_not_match_the_images_are_refused(pair, labels):
    found = re.escape(str(labels.shape))
    with pytest.raises(ValueError, match=rf"test\.h5: test_set_y has shape {found}; .*one label per image, \(2,\)"):
        load_data(*pair(test_set_y=labels))


def test_images_of_two_sizes_are_refused(pair):
    with pytest.raises(
        ValueError, match=r"test\.h5: test_set_x has images of \(6, 3, 3\), .*train_set_x of \(4, 3, 3\); use two"
    ):
        load_data(*pair(test_set_x=np.zeros((2, 6, 3, 3), np.uint8)))


# --- memory


@pytest.mark.parametrize("kind", ["IDX", "IDX, gzip", "npz", "npz, compressed", "h5"])
def test_a_slice_of_a_large_file_needs_no_more_memory_than_the_slice(tmp_path, kind):
    """16 MB on disk, 0.4 MB asked for from its middle; 0.6 MB for buffers and libraries, however large the file."""
    count, first = 20_000, slice(11_000, 11_500)
    x, y = np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8)
    x[first] = np.random.RandomState(0).randint(0, 256, (500, 28, 28))
    path = tmp_path / ("d.h5" if kind == "h5" else "d.npz" if "npz" in kind else NAMES["train"][0])
    if kind == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=x, chunks=(250, 28, 28), compression="gzip")
            file["labels"] = y
    elif "npz" in kind:
        (np.savez_compressed if "compressed" in kind else np.savez)(path, images=x, labels=y)
    else:
        pack = (lambda data: gzip.compress(data, 1)) if "gzip" in kind else bytes
        path.write_bytes(pack(idx(x)))
        path.with_name(NAMES["train"][1]).write_bytes(pack(idx(y)))
    load_digits(path, first=1)  # imports what it needs
    tracemalloc.start()
    images, _ = load_digits(path, first=first)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(images, x[first])
    assert most < images.nbytes + 600_000


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_header_that_promises_terabytes_is_refused_without_making_room(tmp_path, packed):
    liar = struct.pack(">BBBB3I", 0, 0, 8, 3, 4_000_000_000, 4000, 4000) + bytes(100)
    write_mnist(tmp_path)
    (tmp_path / NAMES["train"][0]).write_bytes(gzip.compress(liar) if packed else liar)
    told = r"train-images-idx3-ubyte: .*should have shape \(4000000000, 4000, 4000\), but the file is too short"
    with pytest.raises(DataFileError, match=told):
        load_digits(tmp_path)


def npy(shape, descr="|u1", data=b""):
    """A .npy that says what we want it to say."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize("shape", [(10**9, 28, 28), (-1, 28, 28)], ids=["too large", "negative"])
def test_a_npz_that_promises_what_it_does_not_have_is_refused(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images.npy", npy(shape, data=bytes(784)))
        file.writestr("labels.npy", npy((1,), data=bytes(1)))
    with pytest.raises(DataFileError, match=r"d\.npz: images should have shape .* but the file is too short"):
        load_digits(tmp_path / "d.npz")


def test_an_hdf5_file_that_promises_what_it_does_not_have_is_refused(tmp_path):
    """HDF5 allows a shape of terabytes of which nothing was ever written."""
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_dataset("images", (10**9, 28, 28), np.uint8, chunks=(10, 28, 28))
        file.create_dataset("labels", (10**9,), np.uint8, chunks=(10,))
    with pytest.raises(DataFileError, match=r"d\.h5: images should have shape \(1000000000, 28, 28\)"):
        load_digits(tmp_path / "d.h5")


# --- what may be wrong


def test_pickled_objects_are_never_unpickled(tmp_path):
    """A pickle runs what it likes when it is read."""
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(trap),)

    with zipfile.ZipFile(tmp_path / "d.npz", "w") as file:
        file.writestr("images.npy", npy((1,), "|O", pickle.dumps(Trap())))
        file.writestr("labels.npy", npy((1,), data=b"\0"))
    with pytest.raises(DataFileError, match=r"d\.npz: images holds pickled objects, .*; store plain numbers"):
        load_digits(tmp_path / "d.npz")
    assert not trap.exists()


def h5(path, **changes):
    x, y = some(6)
    return write_h5(path, **{k: v for k, v in ({"images": x, "labels": y} | changes).items() if v is not None})


DAMAGE = {
    "no file": (lambda p: p / "nowhere.h5", r"nowhere\.h5: no such file; give the path of an HDF5, \.npz or IDX"),
    "empty folder": (lambda p: p, r"train-images-idx3-ubyte: no such file, packed \(\.gz\) or not; put MNIST"),
    "empty h5": (lambda p: raw(p / "d.h5", b""), r"d\.h5: not an HDF5 file, it begins with b''; get a fresh"),
    "a web page": (lambda p: raw(p / "d.h5", b"<html>404"), r"d\.h5: not an HDF5 file, it begins with b'<html>40'"),
    "half an h5": (lambda p: raw(p / "d.h5", DIGITS.read_bytes()[:30_000]), r"d\.h5: cut off; get a fresh copy"),
    "spoilt h5": (lambda p: raw(p / "d.h5", spoilt(DIGITS.read_bytes())), r"d\.h5: images: damaged; get a fresh copy"),
    "wrong key": (
        lambda p: h5(p / "d.h5", labels=None, digits=[1]),
        r"d\.h5: found digits, images, but no labels; use",
    ),
    "no known key": (lambda p: write_h5(p / "d.h5", a=[1]), r"d\.h5: found a, but no x_train, y_train; use an HDF5"),
    "flat images": (
        lambda p: h5(p / "d.h5", images=np.zeros((6, 64), np.uint8)),
        r"d\.h5: images has shape \(6, 64\) and type uint8; store images as \(m, height, width\)",
    ),
    "floats": (lambda p: h5(p / "d.h5", images=np.zeros((6, 4, 3))), r"images has .* type float64; .* type uint8"),
    "too few labels": (
        lambda p: h5(p / "d.h5", labels=[1, 2]),
        r"d\.h5: labels has shape \(2,\); store one label per image, \(6,\)",
    ),
    "names as labels": (
        lambda p: h5(p / "d.h5", labels=[b"one"] * 6),
        r"d\.h5: labels has type .*; store labels as whole",
    ),
    "half a label": (lambda p: h5(p / "d.h5", labels=[0.5] * 6), r"d\.h5: labels has the label 0\.5; labels are whole"),
    "nan as label": (lambda p: h5(p / "d.h5", labels=[np.nan] * 6), r"d\.h5: labels has the label nan"),
    "negative label": (lambda p: h5(p / "d.h5", labels=[-1] * 6), r"d\.h5: labels has the label -1; .* from 0 on"),
    "not a npz": (lambda p: raw(p / "d.npz", b"hello you"), r"d\.npz: not a \.npz file, it begins with b'hello yo'"),
    "no labels in npz": (lambda p: write_npz(p / "d.npz", images=some(3)[0]), r"d\.npz: found images, but no labels"),
    "by columns": (
        lambda p: write_npz(p / "d.npz", images=np.asfortranarray(some(3)[0]), labels=[1, 2, 3]),
        r"d\.npz: images is stored by columns; save np\.ascontiguousarray",
    ),
    "two sizes": (
        lambda p: write_npz(p / "d.npz", **four() | {"x_test": np.zeros((4, 5, 5), np.uint8)}),
        r"d\.npz: x_test has images of \(5, 5\), but .*x_train of \(4, 3\); use two files",
    ),
    "IDX of labels": (
        lambda p: mnist(p, images=idx(some(5)[1])),
        r"train-images-idx3-ubyte: begins with .*, not b'.*x03'; give an IDX file of images",
    ),
    "IDX of floats": (lambda p: mnist(p, images=b"\0\0\x0d\x03" + bytes(12)), "give an IDX file of images"),
    "IDX without a header": (lambda p: mnist(p, labels=b"\0\0\x08\x01\0"), r"train-labels-idx1-ubyte: cut off"),
    "IDX cut off": (
        lambda p: mnist(p, images=idx(some(7)[0])[:-1]),
        r"train-images-.*\(7, 4, 3\), but the file is too",
    ),
    "IDX too long": (lambda p: mnist(p, images=idx(some(7)[0]) + b"x"), r"train-images-.* goes on after its last"),
    "gzip cut off": (lambda p: mnist(p, images=gzip.compress(idx(some(7)[0]))[:-9]), r"train-images-.*: cut off; get"),
    "gzip spoilt": (
        lambda p: mnist(p, images=spoilt(gzip.compress(idx(some(7)[0])))),
        r"train-images-.*: damaged; get",
    ),
    "labels of another set": (
        lambda p: mnist(p, labels=idx(some(6)[1])),
        r"train-labels-.*: the array of labels has shape \(6,\); store one label per image, \(7,\)",
    ),
    "no labels beside": (lambda p: mnist(p, labels=None), r"train-labels-idx1-ubyte: no such file"),
    "another name": (lambda p: raw(p / "digits", idx(some(5)[0])), r"digits: no 'images' in the name"),
}


def raw(path, content):
    path.write_bytes(content)
    return path


def spoilt(content):
    middle = len(content) // 2
    return content[:middle] + bytes(255 - b for b in content[middle : middle + 8]) + content[middle + 8 :]


def mnist(folder, **changes):
    write_mnist(folder)
    for name, content in changes.items():
        path = folder / NAMES["train"][name == "labels"]
        path.unlink() if content is None else path.write_bytes(content)
    return folder / NAMES["train"][0]


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_kind_of_damage_has_its_own_words(tmp_path, kind):
    make, told = DAMAGE[kind]
    path = make(tmp_path)
    with pytest.raises((DataFileError, FileNotFoundError), match=told) as caught:
        load_digits(path)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None  # no traceback of h5py under ours
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_part_that_the_file_does_not_have_is_refused(tmp_path):
    with pytest.raises(DataFileError, match=r"digits\.h5: has images and labels, .* leave part='test' out"):
        load_digits(DIGITS, part="test")
    with pytest.raises(DataFileError, match=r"train-images-idx3-ubyte: not the file of part='test'"):
        load_digits(write_mnist(tmp_path) / NAMES["train"][0], part="test")
    with pytest.raises(DataFileError, match="part is 'validation'; use 'train', 'test' or None"):
        load_digits(DIGITS, part="validation")


@pytest.mark.parametrize("first", [-1, 2.5, "3", slice(None, None, -1), slice(0, 5, 0)], ids=str)
def test_what_is_not_a_slice_forward_is_refused(first):
    with pytest.raises(DataFileError, match=re.escape(f"first is {first!r}; use a number of examples, or a slice")):
        load_digits(DIGITS, first=first)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"test_set_y": [0, 2]}, r"test\.h5: test_set_y has the label 2; labels are whole numbers from 0 to 1"),
        ({"list_classes": [[b"a", b"b"]]}, r"test\.h5: list_classes has shape \(1, 2\) .*; store one name per class"),
        ({"list_classes": [0, 1]}, r"test\.h5: list_classes has shape \(2,\) and type int64; store one name"),
    ],
    ids=["label", "shape", "numbers"],
)
def test_a_pair_with_labels_that_have_no_class_is_refused(tmp_path, change, told):
    x = np.zeros((2, 3, 4, 3), np.uint8)
    train = write_h5(tmp_path / "train.h5", train_set_x=x, train_set_y=[0, 1])
    good = {"test_set_x": x, "test_set_y": [1, 0], "list_classes": [b"a", b"b"]}
    with pytest.raises(DataFileError, match=told):
        load_data(train, write_h5(tmp_path / "test.h5", **good | change))


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    path = h5(tmp_path / "d.h5")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataFileError, match=r"d\.h5: may not be read; change its permissions"):
        load_digits(path)


def contents_of(kind):
    with tempfile.TemporaryDirectory() as folder:
        made = FORMATS[kind](Path(folder))
        made = sorted(made.iterdir())[2] if made.is_dir() else made  # the images for training
        return made.name, made.read_bytes()


BYTES = {kind: contents_of(kind) for kind in FORMATS}


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
@NO_LIMIT
def test_a_file_cut_off_anywhere_gives_an_error_or_the_right_data(kind, data):
    """Not one exception of another type, whatever the library under the loader thinks of the rest."""
    name, content = BYTES[kind]
    assert_error_or_right(kind, name, content[: data.draw(st.integers(0, len(content) - 1))])


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
@NO_LIMIT
def test_a_file_with_bytes_changed_never_gives_an_exception_of_another_type(kind, data):
    """The values may change without a sign where nothing sums them up; the shapes may not."""
    name, content = BYTES[kind]
    at = data.draw(st.integers(0, len(content) - 1))
    changed = content[:at] + data.draw(st.binary(min_size=1, max_size=4)) + content[at + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        path = FORMATS[kind](Path(folder))
        (Path(folder) / name).write_bytes(changed)
        try:
            images, labels = load_digits(path)
        except (DataFileError, FileNotFoundError) as error:
            assert str(folder) in str(error)  # noqa: PT017
        else:
            assert images.ndim == 3
            assert labels.shape == images.shape[:1]


def assert_error_or_right(kind, name, content):
    whole = four()
    with tempfile.TemporaryDirectory() as folder:
        path = FORMATS[kind](Path(folder))
        (Path(folder) / name).write_bytes(content)
        for part, first in ((None, None), ("train", 2)):
            try:
                images, labels = load_digits(path, part=part, first=first)
            except (DataFileError, FileNotFoundError) as error:
                assert str(folder) in str(error)  # noqa: PT017
            else:
                right = np.concatenate([whole["x_train"], whole["x_test"]])
                assert np.array_equal(images, right[:first])
                assert len(labels) == len(images)


# --- the data that the course ships


def test_the_data_are_real_handwriting_and_credited():
    for path in (*EVENODD, DIGITS):
        assert path.stat().st_size < 100_000
        with h5py.File(path, "r") as file:
            assert "Alpaydin" in file.attrs["credit"]
            assert "Kaynak" in file.attrs["credit"]
            assert "CC BY 4.0" in file.attrs["licence"]
            assert "archive.ics.uci.edu" in file.attrs["source"]


def test_the_digits_have_the_fingerprint_of_the_original():
    """Counts per digit, sum of all pixels and first row: taken from the CSV file that scikit-learn bundles."""
    images, labels = load_digits(DIGITS)
    assert images.shape == (1797, 8, 8)
    assert (images.min(), images.max(), int(images.sum())) == (0, 16, 561718)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[:10].tolist() == list(range(10))


def test_the_pair_is_the_same_images_split_once_with_even_as_label_one():
    """Every image is in one of the two files, as often as in the original, and its label says whether it is even."""
    images, digits = load_digits(DIGITS)
    train_x, train_y, test_x, test_y, classes = load_data(*EVENODD)
    x, y = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y], axis=1)[0]
    assert classes.tolist() == [b"odd", b"even"]
    assert (train_x.shape, test_x.shape) == ((1437, 8, 8, 3), (360, 8, 8, 3))
    assert np.array_equal(x[..., 0], x[..., 1])
    assert np.array_equal(x[..., 0], x[..., 2])
    assert (x.min(), x.max()) == (0, 255)
    back = np.rint(x[..., 0] * (16 / 255)).astype(np.uint8)
    ours = sorted((image.tobytes(), int(label)) for image, label in zip(back, y, strict=True))
    theirs = sorted((image.tobytes(), int(d % 2 == 0)) for image, d in zip(images, digits, strict=True))
    assert ours == theirs
    assert not np.array_equal(back, images)
    assert 0.45 < train_y.mean() < 0.55
    assert 0.45 < test_y.mean() < 0.55


def test_the_committed_files_are_what_the_script_writes(tmp_path):
    """The values and what is said of them; the bytes are the same whenever the same h5py writes them again.

    Without scikit-learn the digits come from the file whose fingerprint the test above takes.
    """
    if importlib.util.find_spec("sklearn") is None:
        images, labels = load_digits(DIGITS)
        labels = labels.astype(np.uint8)
    else:
        images, labels = datasets.bundled_digits()
    for name, content in datasets.contents(images, labels).items():
        datasets.write(tmp_path / name, content)
        with h5py.File(ROOT / name, "r") as ours, h5py.File(tmp_path / name, "r") as fresh:
            assert dict(ours.attrs) == dict(fresh.attrs)
            assert set(ours) == set(fresh)
            for key in fresh:
                assert ours[key].dtype == fresh[key].dtype
                assert np.array_equal(ours[key][()], fresh[key][()])
        again = (tmp_path / name).read_bytes()
        datasets.write(tmp_path / name, content)
        assert (tmp_path / name).read_bytes() == again


def test_the_script_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(CourseError, match="scikit-learn is not installed; pip install scikit-learn"):
        datasets.bundled_digits()

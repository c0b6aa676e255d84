"""Loads images and labels from HDF5, ``.npz`` and MNIST's IDX files.

The loaders first read only the headers, and check the shapes against the size of the file. Then they read the requested
examples directly into an array of the right size. An error is one line. Nothing is unpickled.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

BLOCK = 1 << 16  # bytes read from a compressed file at a time
MAX_COMPRESSION_RATIO = 1032  # the maximum of deflate (gzip, zip, HDF5): bytes for each compressed byte
File = str | Path
Rows = int | slice | None
KINDS = ("an HDF5 file", "a .npz file")
PARTS = {"train": ("x_train", "y_train", "train"), "test": ("x_test", "y_test", "t10k")}


class DataFileError(ValueError):
    """A data file that cannot be used; the message names the file and says what to do."""

    def _render_traceback_(self) -> list[str]:
        # IPython calls this instead of showing a traceback: the message, without frames of this module.
        return [f"DataFileError: {self}"]


class Stored(NamedTuple):
    """An array in a file, not read yet: shape and type are known; ``fill(rows, out)`` reads these rows into out."""

    where: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Callable[[range, np.ndarray], None]


def load_data(
    train_path: File = "datasets/train_evenodd.h5", test_path: File = "datasets/test_evenodd.h5", *, first: Rows = None
) -> tuple[np.ndarray, ...]:
    """The images and labels of a pair of HDF5 files: train_x, train_y, test_x, test_y, classes.

    train_path   file with train_set_x (m, height, width, 3) uint8 and train_set_y (m,)
    test_path    file with test_set_x, test_set_y, and list_classes: the name of each label
    first        N or a slice: only these examples of each file are read

    The labels come back as rows (1, m). Raises FileNotFoundError or ValueError; the message names the file.
    """
    train = _stored_arrays(train_path, "train_set_x", "train_set_y")
    *test, names = _stored_arrays(test_path, "test_set_x", "test_set_y", "list_classes")
    for x, y in (train, test):
        _check_pair(x, y, "(m, height, width, 3)", train[0])
    if len(names.shape) != 1 or names.dtype.kind not in "SO":
        raise DataFileError(f"{names.where} has shape {names.shape} and type {names.dtype}; store one name per class")
    classes = _rows([names], range(names.shape[0])).astype("S")
    train_x, train_y = _load([train], first, len(classes))
    test_x, test_y = _load([test], first, len(classes))
    return train_x, train_y.reshape(1, -1), test_x, test_y.reshape(1, -1), classes


def load_digits(
    path: File = "datasets/digits.h5", *, part: str | None = None, first: Rows = None
) -> tuple[np.ndarray, np.ndarray]:
    """Images (m, height, width) uint8 and labels (m,) int64, or a FileNotFoundError or ValueError naming the file.

    path    .h5 or .npz with images and labels, or with x_train, y_train, x_test, y_test; or MNIST's IDX files,
            packed with gzip or not: the folder that they are in, or the file of images
    part    "train" or "test" where there are both; None takes what there is, train before test
    first   N or a slice: only these examples are read
    """
    if part not in (None, *PARTS):
        raise DataFileError(f"load_digits: part is {part!r}; use 'train', 'test' or None")
    pairs = _pairs(Path(path), part)
    for x, y in pairs:
        _check_pair(x, y, "(m, height, width)", pairs[0][0])
    images, labels = _load(pairs, first)
    return images, labels.astype(np.int64)


def _pairs(path: Path, part: str | None) -> list[list[Stored]]:
    """The images and labels of each requested part, not read yet."""
    parts = list(PARTS) if part is None else [part]
    if path.is_dir():
        return [_idx_pair(_beside(path / f"{PARTS[each][2]}-images-idx3-ubyte")) for each in parts]
    _require_file(path, "an HDF5, .npz or IDX file of digits, or the folder of the IDX files")
    if path.suffix not in (".h5", ".hdf5", ".npz"):
        if part and not path.name.startswith(PARTS[part][2]):
            raise DataFileError(f"{path}: not the file of part={part!r}; leave part out, or give the folder")
        return [_idx_pair(path)]
    if not {"images", "labels"} & _array_names(path):
        return [_stored_arrays(path, *PARTS[each][:2]) for each in parts]
    if part is None:
        return [_stored_arrays(path, "images", "labels")]
    raise DataFileError(f"{path}: has images and labels, not the parts train and test; leave part={part!r} out")


def _check_pair(x: Stored, y: Stored, layout: str, like: Stored) -> None:
    axes = layout.count(",") + 1
    if len(x.shape) != axes or (axes == 4 and x.shape[3] != 3) or x.dtype != np.uint8:
        raise DataFileError(f"{x.where} has shape {x.shape} and type {x.dtype}; store images as {layout} of type uint8")
    if y.shape != x.shape[:1]:
        raise DataFileError(f"{y.where} has shape {y.shape}; store one label per image, ({x.shape[0]},)")
    if y.dtype.kind not in "uifb":
        raise DataFileError(f"{y.where} has type {y.dtype}; store labels as whole numbers")
    if x.shape[1:] != like.shape[1:]:
        sizes = f"{x.where} has images of {x.shape[1:]}, but {like.where} of {like.shape[1:]}"
        raise DataFileError(f"{sizes}; use two files that belong together")


def _load(pairs: list[list[Stored]], first: Rows, classes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The requested images and labels; checks that each label is valid, and below ``classes`` if that is not 0."""
    images, labels = zip(*pairs, strict=True)
    y = _rows(labels, wanted := _selected_rows(first, sum(x.shape[0] for x in images)))
    wrong = ~((y >= 0) & (y == np.floor(y)) & (y < (classes or np.inf)))
    if wrong.any():
        good = f"whole numbers from 0 {f'to {classes - 1}' if classes else 'on'}"
        raise DataFileError(f"{labels[0].where} has the label {y[wrong][0]}; labels are {good}")
    return _rows(images, wanted), y


def _selected_rows(first: Rows, total: int) -> range:
    """The rows that ``first`` selects, out of ``total``."""
    with suppress(TypeError, ValueError):
        rows = range(total)[first if isinstance(first, slice) else slice(first)]
        if rows.step > 0 and (first is None or isinstance(first, slice) or first >= 0):
            return rows
    raise DataFileError(f"first is {first!r}; use a number of examples, or a slice that goes forward")


def _rows(pieces: Sequence[Stored], wanted: range) -> np.ndarray:
    """The wanted rows of the concatenated arrays, in one new array of the right size."""
    dtype, shape = np.result_type(*(piece.dtype for piece in pieces)), (len(wanted), *pieces[0].shape[1:])
    try:
        out = np.empty(shape, dtype)
    except (MemoryError, ValueError):
        raise DataFileError(f"{pieces[0].where}: {shape} does not fit in memory; read fewer with first=") from None
    done = begin = 0
    for piece in pieces:
        end = begin + piece.shape[0]
        upto = len(range(wanted.start, min(wanted.stop, end), wanted.step))
        here, target = wanted[done:upto], out[done:upto]
        if here:
            room = target if piece.dtype == dtype else np.empty(target.shape, piece.dtype)
            piece.fill(range(here.start - begin, here.stop - begin, here.step), room)
            target[...] = room
        done, begin = upto, end
    return out


@contextmanager
def _translated_errors(where: object) -> Iterator[None]:
    """Translate any exception of the libraries about a damaged file into a one-line DataFileError."""
    try:
        yield
    except DataFileError:
        raise
    except PermissionError:
        raise DataFileError(f"{where}: may not be read; change its permissions") from None
    except Exception as error:  # h5py, zipfile, gzip and NumPy raise many types
        cut = isinstance(error, EOFError) or "truncated" in str(error)
        raise DataFileError(f"{where}: {'cut off' if cut else 'damaged'}; get a fresh copy of the file") from None


def _require_file(path: Path, wanted: str) -> None:
    if not path.is_file():
        here = "" if path.is_absolute() else f" (looked in {Path.cwd()})"
        raise FileNotFoundError(f"{path}: no such file; give the path of {wanted}{here}")


def _require_size(where: str, shape: tuple[int, ...], itemsize: int, most: int) -> None:
    """Check the shape in a header against the size of the file before memory is allocated for it."""
    if min(shape, default=0) < 0 or prod(shape) * itemsize > most:
        raise DataFileError(f"{where} should have shape {shape}, but the file is too short; get a fresh copy")


def _hdf5(path: Path) -> Any:
    """The package h5py; imported only for HDF5 files."""
    try:
        import h5py
    except ImportError as error:
        raise DataFileError(f"{path}: needs h5py ({error}); run `%pip install h5py` in a cell") from None
    return h5py


def _array_names(path: Path) -> set[str]:
    with _translated_errors(path):
        with path.open("rb") as raw:
            begins = raw.read(8)
        h5py = None if path.suffix == ".npz" else _hdf5(path)
        if not (h5py.is_hdf5(path) if h5py else begins.startswith(b"PK")):
            raise DataFileError(f"{path}: not {KINDS[h5py is None]}, it begins with {begins!r}; get a fresh copy")
        if h5py is None:
            with zipfile.ZipFile(path) as packed:
                return {name.removesuffix(".npy") for name in packed.namelist()}
        with h5py.File(path, "r") as file:
            return {str(name) for name in file if isinstance(file.get(name), h5py.Dataset)}


def _stored_arrays(where: File, *names: str) -> list[Stored]:
    path, npz = Path(where), Path(where).suffix == ".npz"
    wanted = f"{KINDS[npz]} with {', '.join(names)}"
    _require_file(path, wanted)
    found = _array_names(path)
    if missing := [name for name in names if name not in found]:
        have, lacks = ", ".join(sorted(found)) or "nothing", ", ".join(missing)
        raise DataFileError(f"{path}: found {have}, but no {lacks}; use {wanted}")
    return [(_npz_array if npz else _hdf5_array)(path, name) for name in names]


def _hdf5_array(path: Path, name: str) -> Stored:
    h5py, where = _hdf5(path), f"{path}: {name}"

    def fill(rows: range, out: np.ndarray) -> None:
        with _translated_errors(where), h5py.File(path, "r") as file:
            file[name].read_direct(out, np.s_[rows.start : rows.stop : rows.step])

    with _translated_errors(where), h5py.File(path, "r") as file:
        data = file[name]
        shape, dtype, stored = data.shape or (), data.dtype, data.id.get_storage_size()
    _require_size(where, shape, dtype.itemsize, MAX_COMPRESSION_RATIO * min(stored, path.stat().st_size))
    return Stored(where, shape, dtype, fill)


def _npz_array(path: Path, name: str) -> Stored:
    where, member = f"{path}: {name}", f"{name}.npy"
    with _translated_errors(where), zipfile.ZipFile(path) as file, file.open(member) as stream:
        one = np.lib.format.read_magic(stream) == (1, 0)
        shape, by_columns, dtype = getattr(np.lib.format, f"read_array_header_{1 if one else 2}_0")(stream)
        start, size = stream.tell(), file.getinfo(member)
    if dtype.hasobject:
        raise DataFileError(f"{where} holds pickled objects, which may run code when read; store plain numbers")
    if by_columns and len(shape) > 1:
        raise DataFileError(f"{where} is stored by columns; save np.ascontiguousarray of it")
    _require_size(where, shape, dtype.itemsize, min(size.file_size, MAX_COMPRESSION_RATIO * size.compress_size))

    def fill(rows: range, out: np.ndarray) -> None:
        with _translated_errors(where), zipfile.ZipFile(path) as file, file.open(member) as stream:
            stream.MAX_SEEK_READ = BLOCK  # type: ignore[attr-defined]  # not 16 MB
            _fill(where, stream, start, shape[0], rows, out)

    return Stored(where, shape, dtype, fill)


def _beside(path: Path) -> Path:
    """The file with this name, with a dot instead of the hyphen (``.idx``), or compressed (``.gz``)."""
    for name in (path.name, path.name.replace("-idx", ".idx")):
        for there in (path.with_name(name), path.with_name(f"{name}.gz")):
            if there.is_file():
                return there
    raise FileNotFoundError(f"{path}: no such file, packed (.gz) or not; put MNIST's IDX files there")


def _idx_pair(path: Path) -> list[Stored]:
    images = _idx_array(path, "images", 3)
    if "images" not in path.name:
        raise DataFileError(f"{path}: no 'images' in the name, so its labels cannot be found; use MNIST's own names")
    name = path.name.replace("images", "labels").replace("idx3", "idx1").replace(".idx", "-idx").removesuffix(".gz")
    return [images, _idx_array(_beside(path.with_name(name)), "labels", 1)]


def _idx_array(path: Path, what: str, axes: int) -> Stored:
    """An array in the IDX format: four magic bytes, the length of each axis as four big-endian bytes, the data."""

    def opened() -> IO[bytes]:
        return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]

    where, magic, start = f"{path}: the array of {what}", bytes([0, 0, 8, axes]), 4 + 4 * axes
    with _translated_errors(path):
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"  # some programs decompress a download, and keep the name
        with opened() as stream:
            header = stream.read(start)
        if not header.startswith(magic):
            raise DataFileError(f"{path}: begins with {header[:4]!r}, not {magic!r}; give an IDX file of {what}")
        if len(header) < start:
            raise EOFError
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
    _require_size(
        where, shape, 1, path.stat().st_size * MAX_COMPRESSION_RATIO if packed else path.stat().st_size - start
    )

    def fill(rows: range, out: np.ndarray) -> None:
        with _translated_errors(path), opened() as stream:
            _fill(path, stream, start, shape[0], rows, out)

    return Stored(where, shape, np.dtype(np.uint8), fill)


def _fill(where: object, stream: IO[bytes], start: int, total: int, rows: range, out: np.ndarray) -> None:
    """Read these rows, of ``total`` in the stream, into ``out``; the array begins at byte ``start``."""
    flat, size, done = out.reshape(-1).view(np.uint8), out[0].nbytes, 0
    for run in [rows] if rows.step == 1 else [range(row, row + 1) for row in rows]:
        stream.seek(start + run.start * size)
        end = done + len(run) * size
        while done < end:
            block = stream.read(min(BLOCK, end - done))
            if not block:
                raise EOFError
            flat[done : done + len(block)] = np.frombuffer(block, np.uint8)
            done += len(block)
    if rows[-1] == total - 1 and stream.read(1):
        raise DataFileError(f"{where}: goes on after its last example; get a fresh copy of the file")

"""The NumPy helpers that students are given: activations, gradients, the loader and the figures."""

import re
import subprocess
import sys
import warnings
from base64 import b64decode
from html.parser import HTMLParser
from math import exp
from struct import unpack

import h5py
import matplotlib
import numpy as np
import pytest

import dnn_utils
from dnn_utils import load_data, relu, relu_backward, sigmoid, sigmoid_backward

Z = np.array([[-3.0, -0.5, 0.25, 2.0], [1.5, -1e-3, 4.0, -7.0], [0.75, 6.0, -2.5, 1e-3]])
ACTIVATIONS = {"sigmoid": (sigmoid, sigmoid_backward), "relu": (relu, relu_backward)}
DIMS = [5, 4, 3, 1]
FIGURES = {
    "network": lambda: dnn_utils.draw_network(DIMS),
    "activations": dnn_utils.draw_activations,
    "layer forward": dnn_utils.draw_layer_forward,
    "layer backward": dnn_utils.draw_layer_backward,
    "forward": lambda: dnn_utils.draw_forward(DIMS),
    "backward": lambda: dnn_utils.draw_backward(DIMS),
    "training step": lambda: dnn_utils.draw_training_step(DIMS),
}


# --- activations -----------------------------------------------------------------------------------------


def test_sigmoid_is_the_logistic_function_entry_by_entry():
    """The oracle is the definition, one number at a time, with Python's own exp."""
    A, _ = sigmoid(Z)
    assert A.shape == (3, 4)
    for z, a in zip(Z.flat, A.flat, strict=True):
        assert a == pytest.approx(1 / (1 + exp(-z)), rel=1e-14)


def test_relu_keeps_what_is_positive_and_zeroes_the_rest():
    A, _ = relu(np.array([[-1.5, 0.0, 2.5]]))
    assert A.tolist() == [[0.0, 0.0, 2.5]]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_cache_is_z_and_z_is_left_alone(name):
    """A cache that changed later, or another thing in it, would spoil every backward pass."""
    forward, backward = ACTIVATIONS[name]
    given, dA = Z.copy(), np.full_like(Z, 1.5)
    A, cache = forward(given)
    backward(dA, cache)
    assert np.array_equal(cache, Z)
    assert np.array_equal(given, Z)
    assert np.array_equal(dA, np.full_like(Z, 1.5))
    assert not np.shares_memory(A, given)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_is_the_slope_that_central_differences_measure(name):
    """No entry of Z is within the step of 0, where ReLU has no slope."""
    forward, backward = ACTIVATIONS[name]
    step, dA = 1e-6, np.linspace(-2, 3, Z.size).reshape(Z.shape)
    measured = (forward(Z + step)[0] - forward(Z - step)[0]) / (2 * step)
    assert backward(dA, Z) == pytest.approx(dA * measured, abs=1e-8)


def test_the_slope_of_relu_at_exactly_zero_is_zero():
    assert relu_backward(np.array([[5.0, 5.0, 5.0]]), np.array([[-0.0, 0.0, 1e-300]])).tolist() == [[0, 0, 5]]


def test_nothing_overflows_however_large_z_is():
    """A warning on stderr reads like a mistake of the student's; it is an error here."""
    large = np.array([[-1e308, -1e4, -745.2, 745.2, 1e4, 1e308, -np.inf, np.inf]])
    with warnings.catch_warnings(), np.errstate(over="raise", divide="raise", invalid="raise"):
        warnings.simplefilter("error")
        A, cache = sigmoid(large)
        slope = sigmoid_backward(np.ones_like(large), cache)
    assert A.tolist() == [[0, 0, pytest.approx(0, abs=1e-300), 1, 1, 1, 0, 1]]
    assert slope == pytest.approx(np.zeros_like(large), abs=1e-300)


def test_the_slope_of_sigmoid_keeps_its_digits_for_large_z():
    """Computed as s * (1 - s) it would be exactly 0 from Z = 37 on."""
    slope = sigmoid_backward(np.ones((1, 2)), np.array([[-40.0, 40.0]]))
    assert slope == pytest.approx(np.full((1, 2), exp(-40)), rel=1e-12)


# --- data ------------------------------------------------------------------------------------------------


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
    with pytest.raises(ValueError, match=r"test\.h5: not HDF5, or damaged; get a fresh .*list_classes"):
        load_data(train, test)


def test_half_a_download_is_named(pair):
    train, test = pair()
    train.write_bytes(train.read_bytes()[: train.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"train\.h5: not HDF5, or damaged"):
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
    with pytest.raises(ValueError, match=r"test\.h5: images of \(6, 3, 3\), .*train\.h5 are \(4, 3, 3\); use two"):
        load_data(*pair(test_set_x=np.zeros((2, 6, 3, 3), np.uint8)))


# --- figures ---------------------------------------------------------------------------------------------


class _Images(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_bytes_every_time(name):
    """A figure that changed from run to run would change every notebook that shows it."""
    assert FIGURES[name]().png == FIGURES[name]().png


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_does_not_depend_on_the_plot_settings_of_the_notebook(name):
    """Students set rcParams in the same kernel; pyplot's current figure is theirs too."""
    expected = FIGURES[name]().png
    theirs = {
        "font.family": "serif",
        "mathtext.fontset": "stix",
        "axes.facecolor": "black",
        "lines.linewidth": 9,
    }
    with matplotlib.rc_context(theirs | {"figure.dpi": 40, "text.color": "white", "image.cmap": "gray"}):
        assert FIGURES[name]().png == expected


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_reaches_the_browser_as_a_sharp_image_with_alternative_text(name):
    """JupyterLab 4.6 gives an image/png no alt at all: the text/html beside it must carry it."""
    picture = FIGURES[name]()
    bundle, metadata = picture._repr_mimebundle_()
    ((tag, attributes),) = _Images(bundle["text/html"]).found
    png = b64decode(bundle["image/png"], validate=True)
    width, height = unpack(">II", png[16:24])
    assert (tag, attributes["src"]) == ("img", f"data:image/png;base64,{bundle['image/png']}")
    assert attributes["alt"] == bundle["text/plain"] == repr(picture) == metadata["image/png"]["alt"]
    assert png.startswith(b"\x89PNG")
    assert width >= 1.5 * int(attributes["width"])
    assert 600 <= int(attributes["width"]) <= 900
    assert 200 <= height <= width


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("network", ["5 inputs", "W2 (3, 4)", "b3 (1, 1)", "1 sigmoid"]),
        ("forward", ["A0 (5, m), W1 (4, 5) and b1 (4, 1)", "linear then sigmoid", "A3 (1, m) and caches[2]"]),
        (
            "backward",
            [
                "sigmoid then linear",
                "takes dA2 (3, m) and caches[1]",
                "dA0 (5, m), dW1 (4, 5) and db1 (4, 1)",
            ],
        ),
        ("layer backward", ["dA_prev (n_prev, m)", "dW (n, n_prev)", "db (n, 1)", "from the right"]),
    ],
)
def test_the_alternative_text_says_what_the_figure_shows(name, facts):
    alt = FIGURES[name]().alt
    assert [fact for fact in facts if fact not in alt] == []


@pytest.mark.parametrize("layer_dims", [[2, 1], [64, 20, 7, 5, 1]], ids=["one layer", "many units"])
@pytest.mark.parametrize("draw", ["draw_network", "draw_forward", "draw_backward", "draw_training_step"])
def test_a_network_of_any_size_can_be_drawn(draw, layer_dims):
    picture = getattr(dnn_utils, draw)(layer_dims)
    assert picture.png.startswith(b"\x89PNG")
    assert picture.width > 200 * (len(layer_dims) - 1)


def test_importing_the_module_is_cheap():
    """Students import it in every notebook, and the grader for every submission."""
    code = "import sys, dnn_utils; print([m for m in ('matplotlib', 'h5py', 'IPython') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

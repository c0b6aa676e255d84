"""The pictures of the notebooks: the same bytes every time, with words that say what they show."""

from base64 import b64decode
from functools import cache
from html.parser import HTMLParser
from struct import unpack

import matplotlib
import numpy as np
import pytest

import dnn_utils
from dnn.gradient_lab import gradient_check
from dnn_utils import draw_costs, draw_decision_regions, draw_images, draw_signal

DIMS = [5, 4, 3, 1]
WIDE = [784, 20, 7, 5, 10]
R = np.random.RandomState(0)
POINTS, LABELS = R.randn(2, 40), R.randint(0, 2, (1, 40))
IMAGES = R.randint(0, 17, (12, 8, 8)).astype(np.uint8)
COSTS = {"two layers": [0.7, 0.4, 0.3], "four layers": [0.7, 0.2, np.nan]}


def inside(X):
    """A circle: the answers of a network that has learnt one."""
    return (X**2).sum(axis=0, keepdims=True) < 1


def checked():
    return gradient_check(lambda W: W**2, lambda u, W: u * W * np.array([2, 2, 3]), (R.rand(4, 3) + 1,))


FIGURES = {
    "network": lambda: dnn_utils.draw_network(DIMS),
    "activations": dnn_utils.draw_activations,
    "layer forward": dnn_utils.draw_layer_forward,
    "layer backward": dnn_utils.draw_layer_backward,
    "forward": lambda: dnn_utils.draw_forward(DIMS),
    "backward": lambda: dnn_utils.draw_backward(DIMS),
    "training step": lambda: dnn_utils.draw_training_step(DIMS),
    "costs": lambda: draw_costs(COSTS),
    "signal": lambda: draw_signal({"* 0.01": [1e-2, 1e-4, 1e-6], "scaled": [0.5, 0.6, 0.55]}),
    "decision regions": lambda: draw_decision_regions(inside, POINTS, LABELS),
    "images": lambda: draw_images(IMAGES, range(12), [0, 1, 8, *range(3, 12)]),
    "heat map": lambda: CHECKED.heat_map("W"),
}
CHECKED = checked()


@cache
def drawn(name):
    return FIGURES[name]()


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
    assert FIGURES[name]().png == drawn(name).png


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_does_not_depend_on_the_plot_settings_of_the_notebook(name):
    """Students set rcParams in the same kernel; pyplot's current figure is theirs too."""
    expected = drawn(name).png
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
    picture = drawn(name)
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
        ("costs", ["two layers: from 0.7 to 0.3", "four layers: from 0.7 to 0.2, 1 not finite"]),
        ("signal", ["* 0.01: from 0.01 to 1e-06", "scaled: from 0.5 to 0.55"]),
        ("images", ["12 images in rows of 10", "1 predicted wrongly", "1, 2 taken for 8, 3"]),
        ("heat map", ["gradient of W: 4 of 12 entries wrong", "only in column 2", "1.5 times too large"]),
        ("layer backward", ["dA_prev (n_prev, m)", "dW (n, n_prev)", "db (n, 1)", "from the right"]),
    ],
)
def test_the_alternative_text_says_what_the_figure_shows(name, facts):
    alt = drawn(name).alt
    assert [fact for fact in facts if fact not in alt] == []


@pytest.mark.parametrize("layer_dims", [[2, 1], [64, 20, 7, 5, 1]], ids=["one layer", "many units"])
@pytest.mark.parametrize("draw", ["draw_network", "draw_forward", "draw_backward", "draw_training_step"])
def test_a_network_of_any_size_can_be_drawn(draw, layer_dims):
    picture = getattr(dnn_utils, draw)(layer_dims)
    assert picture.png.startswith(b"\x89PNG")
    assert picture.width > 200 * (len(layer_dims) - 1)


def test_a_wide_network_is_drawn_abbreviated():
    """784 circles would be a grey bar, and 15,680 lines take a minute."""
    wide, narrow = dnn_utils.draw_network(WIDE, output="softmax"), dnn_utils.draw_network([6, 6, 6, 5, 6])
    assert unpack(">II", wide.png[16:24]) == unpack(">II", narrow.png[16:24])
    assert "784 inputs" in wide.alt
    assert "10 softmax units, W4 (10, 5)" in wide.alt
    assert "sigmoid" not in wide.alt


@pytest.mark.parametrize("draw", ["draw_forward", "draw_backward", "draw_training_step"])
def test_the_last_layer_may_be_softmax(draw):
    sigmoid, softmax = getattr(dnn_utils, draw)(DIMS), getattr(dnn_utils, draw)(DIMS, output="softmax")
    assert sigmoid.png != softmax.png
    assert "sigmoid" not in softmax.alt


def test_costs_may_be_arrays_as_student_code_returns_them():
    arrays = draw_costs({"mine": [np.array(0.7), np.array([[0.4]]), np.float64(0.3)]})
    assert arrays.png == draw_costs({"mine": [0.7, 0.4, 0.3]}).png
    assert "mine: no number" in draw_costs({"mine": [np.nan]}).alt
    assert "mine: no number" in draw_costs({"mine": []}).alt


def test_more_runs_than_colours_can_be_compared():
    picture = draw_costs({f"run {k}": [1, 1 / (k + 1)] for k in range(14)}, every=10)
    assert picture.alt.count("run ") == 14


def test_a_signal_that_is_exactly_zero_leaves_a_gap():
    """log 0 must not spoil the picture of a network that has died."""
    assert "dead: from 0.5 to 0" in draw_signal({"dead": [0.5, 0.0, 0.0]}).alt
    assert draw_signal({"dead": [0.0, 0.0]}).png


def test_decision_regions_tell_how_many_examples_are_on_their_side():
    X = np.array([[0.0, 0.5, 3.0, -3.0], [0.0, 0.5, 0.0, 1.0]])
    picture = draw_decision_regions(inside, X, [1, 1, 0, 1])
    assert "4 examples" in picture.alt
    assert "75.0% of the examples" in picture.alt
    assert draw_decision_regions(lambda X: np.zeros(X.shape[1]), X, [0, 0, 0, 0]).png  # a network that says one thing


def test_decision_regions_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"X \(3, 5\) and 5 labels; give two features, \(2, m\)"):
        draw_decision_regions(inside, np.zeros((3, 5)), np.zeros(5))
    with pytest.raises(ValueError, match=r"X \(2, 5\) and 4 labels"):
        draw_decision_regions(inside, np.zeros((2, 5)), np.zeros(4))


def test_images_in_colour_are_named_by_their_classes():
    colours, classes = np.repeat(IMAGES[..., None], 3, axis=3), np.array([b"odd", b"even"])
    labels = np.arange(12)[None] % 2
    alt = draw_images(colours, classes[labels], classes[np.zeros((1, 12), int)], columns=4).alt
    assert "rows of 4. 6 predicted wrongly" in alt
    assert "odd, even taken for odd, odd" in alt


def test_of_many_images_the_first_hundred_are_drawn():
    alt = draw_images(np.zeros((130, 2, 2), np.uint8), np.zeros(130, int), columns=20).alt
    assert alt.startswith("The first 100 of 130 images in rows of 20.")


@pytest.mark.parametrize("count", [0, 11])
def test_images_without_a_label_each_are_refused(count):
    with pytest.raises(ValueError, match=f"12 images, {count} labels, {count} predictions; give as many of each"):
        draw_images(IMAGES, range(count))
    with pytest.raises(ValueError, match="at least one"):
        draw_images(IMAGES[:0], [])


def luminance(colour):
    """How light a colour is, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_curve_stands_out_from_the_paper_and_has_a_stroke_of_its_own():
    """Colour alone says nothing to a colour-blind reader, nor on a print in grey. 3:1 is what WCAG asks of graphics."""
    from dnn.figures import MARKS, SERIES, STROKES

    assert all(1.05 / (luminance(colour) + 0.05) > 3 for colour in SERIES)
    assert len(set(STROKES)) == len(set(MARKS)) == len(set(SERIES)) == len(SERIES)

"""What the course hands to students: activations and their gradients, data loading, and the figures.

Examples are columns: ``A`` and ``Z`` are (units, m), ``W`` is (units, units of the layer before) and
``b`` is (units, 1).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from html import escape
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sigmoid(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``A = 1 / (1 + exp(-Z))``, entry by entry, for Z of any size without overflow.

    Z   (n, m)   output of the linear half

    Returns A (n, m), every entry between 0 and 1, and the cache Z for sigmoid_backward.
    """
    small = np.exp(-np.abs(Z))  # never above 1, so it cannot overflow
    return np.where(np.asarray(Z) >= 0, 1, small) / (1 + small), Z


def relu(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``A = max(0, Z)``, entry by entry.

    Z   (n, m)   output of the linear half

    Returns A (n, m) and the cache Z for relu_backward.
    """
    return np.maximum(0, Z), Z


def sigmoid_backward(dA: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """``dZ = dA * s * (1 - s)`` with ``s = sigmoid(Z)``, entry by entry; not averaged over m.

    dA      (n, m)   gradient with respect to the layer's activations
    cache   (n, m)   the Z that sigmoid was called with

    Returns dZ (n, m).
    """
    small = np.exp(-np.abs(cache))  # s * (1 - s) without the digits that 1 - s loses for large Z
    return dA * small / (1 + small) ** 2


def relu_backward(dA: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """``dZ = dA`` where ``Z > 0``, and 0 elsewhere, also where Z is exactly 0; not averaged over m.

    dA      (n, m)   gradient with respect to the layer's activations
    cache   (n, m)   the Z that relu was called with

    Returns dZ (n, m).
    """
    return np.where(np.asarray(cache) > 0, dA, 0)


def load_data(train_path: str | Path, test_path: str | Path) -> tuple[np.ndarray, ...]:
    """The images and labels of a pair of HDF5 files: train_x, train_y, test_x, test_y, classes.

    train_path   file with train_set_x (m, height, width, 3) uint8 and train_set_y (m,)
    test_path    file with test_set_x, test_set_y, and list_classes: the name of each label

    The labels come back as rows (1, m). Raises FileNotFoundError or ValueError; the message names the file.
    """
    train_x, train_y = _read(train_path, "train_set_x", "train_set_y")
    test_x, test_y, classes = _read(test_path, "test_set_x", "test_set_y", "list_classes")
    for path, part, x, y in ((train_path, "train", train_x, train_y), (test_path, "test", test_x, test_y)):
        if x.ndim != 4 or x.shape[3] != 3 or x.dtype != np.uint8:
            raise ValueError(
                f"{path}: {part}_set_x has shape {x.shape} and type {x.dtype}; "
                "store images as (m, height, width, 3) of type uint8"
            )
        if y.shape != x.shape[:1]:
            raise ValueError(f"{path}: {part}_set_y has shape {y.shape}; store one label per image, ({len(x)},)")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise ValueError(
            f"{test_path}: images of {test_x.shape[1:]}, but those of {train_path} are {train_x.shape[1:]}; "
            "use two files that belong together"
        )
    return train_x, train_y.reshape(1, -1), test_x, test_y.reshape(1, -1), classes


def _read(path: str | Path, *names: str) -> list[np.ndarray]:
    import h5py

    wanted = ", ".join(names)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of an HDF5 file with {wanted}")
    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in names if not isinstance(file.get(name), h5py.Dataset)]
            if not missing:
                return [np.asarray(file[name]) for name in names]
            found = ", ".join(sorted(file)) or "nothing"
    except OSError as error:
        raise ValueError(f"{path}: not HDF5, or damaged; get a fresh HDF5 file with {wanted}") from error
    raise ValueError(f"{path}: found {found}, but no {', '.join(missing)}; use an HDF5 file with {wanted}")


# The figures. Colours after Okabe and Ito; what runs backward is dashed too, so that a print in grey will do.
INK, FORWARD, BACKWARD, CACHE = "#222222", "#0077bb", "#bb4400", "#886600"
TINTS = {INK: "#eeeeee", FORWARD: "#ddeeff", BACKWARD: "#ffeedd", CACHE: "#ffeecc"}
DASHES = (0, (3.5, 2))
PIXELS_PER_INCH, SHARPNESS = 96, 2  # as displayed, and how many dots each of these pixels has


class Picture:
    """A drawing that a notebook shows as a PNG with alternative text.

    JupyterLab 4.6 never gives the <img> of an image/png output an alt, so text/html carries one that has it;
    image/png is for what prints or converts notebooks (nbconvert reads its alt), text/plain for a terminal.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.image import imsave

        figure.set_dpi(PIXELS_PER_INCH * SHARPNESS)
        canvas, file = FigureCanvasAgg(figure), BytesIO()
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        pixels = (pixels + np.uint16(8)) // 17 * 17  # 16 shades per colour look the same in half the bytes
        imsave(file, pixels.astype(np.uint8), format="png")
        self.png, self.alt = file.getvalue(), alt
        self.width = round(figure.get_figwidth() * PIXELS_PER_INCH)

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], ...]:
        data = b64encode(self.png).decode("ascii")
        html = f'<img src="data:image/png;base64,{data}" alt="{escape(self.alt)}" width="{self.width}">'
        bundle = {"text/html": html, "image/png": data, "text/plain": self.alt}
        return bundle, {"image/png": {"width": self.width, "alt": self.alt}}


_Point = tuple[float, float]


class _Canvas:
    """A white figure measured in inches, with the few shapes that the drawings share."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(width, height), facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")

    def text(self, x: float, y: float, words: str, size: float = 10, color: str = INK, **style: Any) -> None:
        look: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.35}
        self.axes.text(x, y, words, fontsize=size, color=color, zorder=4, **look | style)

    def box(self, x: float, y: float, width: float, height: float, words: str, color: str) -> None:
        """A rounded box around the centre (x, y)."""
        from matplotlib.patches import FancyBboxPatch

        patch = FancyBboxPatch((x - width / 2, y - height / 2), width, height, zorder=3)
        patch.set(boxstyle="round,pad=0,rounding_size=0.08", fc=TINTS[color], ec=color, lw=1.4)
        self.axes.add_patch(patch)
        self.text(x, y, words)

    def arrow(self, start: _Point, end: _Point, color: str, name: str = "", shape: str = "") -> None:
        """An arrow with a name above it and a shape below; dashed if it belongs to the backward pass."""
        dashes = DASHES if color == BACKWARD else "-"
        line = {"color": color, "arrowstyle": "-", "linewidth": 1.6, "linestyle": dashes, "shrinkA": 0}
        head = {"arrowstyle": "-|>", "linewidth": 0, "linestyle": "-", "mutation_scale": 14, "shrinkB": 0}
        self.axes.annotate("", end, start, arrowprops=line | {"shrinkB": 5})
        self.axes.annotate("", end, start, arrowprops=line | head)
        self.text((start[0] + end[0]) / 2, start[1] + 0.17, name, 11)
        self.text((start[0] + end[0]) / 2, start[1] - 0.16, shape, 8.5)


def _own_style(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """The same function, drawing with Matplotlib's defaults, whatever the notebook has set."""

    @wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> Picture:
        import matplotlib.style

        with matplotlib.style.context("default"):
            return draw(*args, **kwargs)

    return styled


def _up(name: str, layer: int) -> str:
    return f"${name}^{{[{layer}]}}$"


def _activation(layer: int, layer_dims: list[int]) -> str:
    return "sigmoid" if layer == len(layer_dims) - 1 else "ReLU"


@_own_style
def draw_network(layer_dims: list[int]) -> Picture:
    """The units of every layer, and the shapes of the parameters between them."""
    most = 6  # units drawn per layer; dots stand for the rest
    height = 2.1 + 0.42 * (min(max(layer_dims), most) - 1)
    canvas = _Canvas(2.2 * len(layer_dims) + 0.2, height)
    columns = []
    for l, units in enumerate(layer_dims):
        x, rows = 1.2 + 2.2 * l, min(units, most)
        ys = [(height + 0.1) / 2 + 0.42 * ((rows - 1) / 2 - row) for row in range(rows)]
        if units > most:
            canvas.text(x, ys.pop(most // 2), "⋮", 14)
        columns.append((x, ys))
        canvas.text(x, height - 0.2, f"layer {l}" if l else "input", 10.5, weight="bold")
        canvas.text(x, height - 0.47, _activation(l, layer_dims) if l else "the examples", 9, va="baseline")
        canvas.text(x, 0.5, _up("A", l) if l else "$X = A^{[0]}$", 11)
        canvas.text(x, 0.22, f"({units}, m)", 9)
        color = FORWARD if l else INK
        canvas.axes.plot([x] * len(ys), ys, "o", ms=14.5, mfc=TINTS[color], mec=color, mew=1.4, zorder=3)
    for l, ((x, ys), (next_x, next_ys)) in enumerate(pairwise(columns), 1):
        for y in ys:
            for next_y in next_ys:
                canvas.axes.plot([x, next_x], [y, next_y], color="#7fb8d8", linewidth=0.7, zorder=1)
        words = f"{_up('W', l)} ({layer_dims[l]}, {layer_dims[l - 1]})\n{_up('b', l)} ({layer_dims[l]}, 1)"
        canvas.text((x + next_x) / 2, 0.36, words, 9.5, FORWARD)
    told = "".join(
        f" Layer {l}: {n} {_activation(l, layer_dims)} units, W{l} ({n}, {before}), b{l} ({n}, 1)."
        for l, (before, n) in enumerate(pairwise(layer_dims), 1)
    )
    start = f"A network with {layer_dims[0]} inputs; every unit is joined to every unit of the next layer."
    return Picture(canvas.figure, start + told)


@_own_style
def draw_activations() -> Picture:
    """Sigmoid and ReLU, each with its slope, which the backward pass needs."""
    canvas = _Canvas(8, 2.9)
    Z = np.linspace(-5, 5, 401)
    curves = (("sigmoid", sigmoid, sigmoid_backward, 2.6, 1.15), ("ReLU", relu, relu_backward, 2.1, 0.82))
    for left, (name, forward, backward, word_x, slope_y) in zip((0.6, 4.6), curves, strict=True):
        axes = canvas.figure.add_axes((left / 8, 0.19, 3.1 / 8, 0.66), xlim=(-5, 5), facecolor="none")
        axes.plot(Z, forward(Z)[0], color=FORWARD, linewidth=2.2)
        slope = backward(np.ones_like(Z), Z)
        slope[np.abs(np.diff(slope, append=slope[-1])) > 0.5] = np.nan  # a gap where the slope of ReLU jumps
        axes.plot(Z, slope, color=BACKWARD, linewidth=2.2, linestyle=DASHES)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#d9dce1", linewidth=0.6)
        axes.tick_params(labelsize=8.5)
        canvas.text(left + 1.55, 0.14, "$Z$")
        canvas.text(left + 1.55, 2.68, name, 11, weight="bold")
        canvas.text(left + word_x, 1.75, "$A = g(Z)$", 10, FORWARD)
        canvas.text(left + 2.55, slope_y, "slope $g'(Z)$", 10, BACKWARD)
    alt = (
        "Two curves over Z from -5 to 5. Sigmoid climbs from 0 to 1; its slope is 0.25 at Z = 0 and almost 0 "
        "at both ends. ReLU is 0 up to Z = 0 and then equal to Z; its slope is 0, then 1."
    )
    return Picture(canvas.figure, alt)


@_own_style
def draw_layer_forward() -> Picture:
    """One layer forward, and what it keeps in its caches."""
    canvas = _Canvas(8.4, 3.3)
    inputs = (("$A_{prev}$", "(n_prev, m)"), ("$W$", "(n, n_prev)"), ("$b$", "(n, 1)"))
    for row, (name, shape) in enumerate(inputs):
        canvas.arrow((0.7, 2.8 - 0.65 * row), (2.35, 2.8 - 0.65 * row), FORWARD, name, shape)
    canvas.box(3.3, 2.15, 1.9, 1.9, "linear\n\n$Z = W A_{prev} + b$", FORWARD)
    canvas.arrow((4.25, 2.15), (5.35, 2.15), FORWARD, "$Z$", "(n, m)")
    canvas.box(6.1, 2.15, 1.5, 1.9, "activation\n\n$A = g(Z)$", FORWARD)
    canvas.arrow((6.85, 2.15), (8.0, 2.15), FORWARD, "$A$", "(n, m)")
    for x, words in ((3.3, "linear_cache:  $A_{prev},\\ W,\\ b$"), (6.1, "activation_cache:  $Z$")):
        canvas.arrow((x, 1.2), (x, 0.66), CACHE)
        canvas.box(x, 0.42, 2.6, 0.48, words, CACHE)
    alt = (
        "One layer forward. A_prev (n_prev, m), W (n, n_prev) and b (n, 1) enter the linear half; it gives "
        "Z (n, m) and keeps all three in linear_cache. The activation turns Z into A (n, m) and keeps Z in "
        "activation_cache."
    )
    return Picture(canvas.figure, alt)


@_own_style
def draw_layer_backward() -> Picture:
    """The linear half of a layer backward: what enters, and which gradients leave."""
    canvas = _Canvas(8.4, 3.9)
    canvas.box(5.0, 1.95, 2.5, 3.5, "linear, backward", BACKWARD)
    canvas.text(0.65, 2.85, "from\nthe cache", 9.5, CACHE, weight="bold")
    canvas.text(0.65, 1.05, "the three\ngradients", 9.5, BACKWARD, weight="bold")
    for row, (name, shape) in enumerate((("A_{prev}", "(n_prev, m)"), ("W", "(n, n_prev)"), ("b", "(n, 1)"))):
        y = 3.42 - 0.57 * row
        canvas.arrow((1.4, y), (3.75, y), CACHE, f"${name}$", shape)
        canvas.arrow((3.75, y - 1.8), (1.4, y - 1.8), BACKWARD, f"$d{name}$", shape)
    canvas.arrow((8.0, 1.95), (6.25, 1.95), BACKWARD, "$dZ$", "(n, m)")
    alt = (
        "The linear half of a layer, backward. A_prev (n_prev, m), W (n, n_prev) and b (n, 1) enter from the "
        "left, out of the cache; dZ (n, m) enters from the right. Three gradients leave to the left: "
        "dA_prev (n_prev, m), dW (n, n_prev) and db (n, 1)."
    )
    return Picture(canvas.figure, alt)


def draw_forward(layer_dims: list[int]) -> Picture:
    """The whole forward pass: the shapes between the layers, and one cache per layer."""
    return _draw_pass(layer_dims, FORWARD)


def draw_backward(layer_dims: list[int]) -> Picture:
    """The whole backward pass: which gradient enters which layer, and which ones leave."""
    return _draw_pass(layer_dims, BACKWARD)


@_own_style
def _draw_pass(layer_dims: list[int], color: str) -> Picture:
    forward, last, told = color == FORWARD, len(layer_dims) - 1, []
    d = "" if forward else "d"
    canvas = _Canvas(2.45 * last + 1.65, 3.5)
    for l, n in enumerate(layer_dims):
        x = 2.45 * l - 0.35
        name = _up(f"{d}A", l) + (f" = {d}AL" if l == last else "") if l or d else "$X = A^{[0]}$"
        middle = 2.0 if forward else 1.65
        ends = [(max(x + 0.65, 0.25), middle), (x + 1.8, middle)]
        start, end = ends if forward else ends[::-1]
        canvas.arrow(start, end, color, name, f"({n}, m)")
        if not l:
            continue
        before, halves = layer_dims[l - 1], ["linear", _activation(l, layer_dims)][:: 1 if forward else -1]
        kept = "  ".join([_up("A", l - 1), _up("W", l), _up("b", l), _up("Z", l)])
        shapes = f"{_up(f'{d}W', l)} ({n}, {before})   {_up(f'{d}b', l)} ({n}, 1)"
        canvas.box(x, middle, 1.3, 1.0, "\n".join([f"layer {l}", *halves]), color)
        canvas.text(x, 3.3 if forward else 0.3, shapes, 9.5, color)
        canvas.box(x, 0.55 if forward else 3.05, 1.9, 0.7, f"cache {l}  =  caches[{l - 1}]\n{kept}", CACHE)
        canvas.arrow((x, 3.1 if forward else 2.7), (x, middle + 0.5), color if forward else CACHE)
        canvas.arrow((x, middle - 0.5), (x, 0.9 if forward else 0.5), CACHE if forward else color)
        takes, gives = f"A{l - 1} ({before}, m), W{l} ({n}, {before}) and b{l} ({n}, 1)", f"A{l} ({n}, m)"
        told.append(
            f"Layer {l}, {' then '.join(halves)}, takes {takes}, and gives {gives} and caches[{l - 1}]."
            if forward
            else f"Layer {l}, {' then '.join(halves)}, takes d{gives} and caches[{l - 1}], and gives "
            f"d{takes.replace(' W', ' dW').replace(' b', ' db')}."
        )
    first = "The forward pass, left to right." if forward else "The backward pass, right to left."
    return Picture(canvas.figure, " ".join([first, *told[:: 1 if forward else -1]]))


@_own_style
def draw_training_step(layer_dims: list[int]) -> Picture:
    """Forward, cost, backward and update in one picture: the plan of the assignment."""
    last = len(layer_dims) - 1
    right = 2.0 * last + 1.8  # the middle of the cost
    canvas = _Canvas(right + 0.8, 4.35)
    for l in range(last + 1):
        x, activation = 2.0 * l - 0.1, _activation(l, layer_dims)
        canvas.arrow((max(x + 0.65, 0.5), 3.55), (x + 1.35, 3.55), FORWARD, _up("A", l) if l else "$X$")
        if l:
            canvas.arrow((x + 1.35, 1.75), (x + 0.65, 1.75), BACKWARD, _up("dA", l))
            canvas.box(x, 3.55, 1.3, 0.85, f"layer {l}\nlinear\n{activation}", FORWARD)
            canvas.box(x, 1.75, 1.3, 0.85, f"layer {l}\n{activation}\nlinear", BACKWARD)
            canvas.arrow((x, 3.12), (x, 2.18), CACHE)
            canvas.text(x + 0.1, 2.68, f"cache {l}", 9.5, CACHE, ha="left")
            canvas.arrow((x, 1.32), (x, 0.66), BACKWARD)
            canvas.text(x + 0.1, 1.03, f"{_up('dW', l)}  {_up('db', l)}", 9.5, BACKWARD, ha="left")
    canvas.box(right, 2.65, 1.1, 2.65, f"cost $J$\n\n{_up('A', last)} beside\nthe labels $Y$", INK)
    update = "update:    $W - \\alpha\\,dW$    and    $b - \\alpha\\,db$    begin the next step"
    canvas.box(last + 0.9, 0.4, 2.0 * last - 0.7, 0.52, update if last > 2 else "update $W$, $b$", INK)
    canvas.text(0.15, 4.1, "forward", 10.5, FORWARD, weight="bold", ha="left")
    canvas.text(0.15, 2.35, "backward", 10.5, BACKWARD, weight="bold", ha="left")
    alt = (
        f"One step of training. Forward: X runs through {last} layers and comes out as A{last}; every layer "
        f"keeps a cache. Cost: A{last} beside the labels Y. Backward: the gradients run the other way; each "
        "layer uses its cache and gives dW and db. Update: W - alpha dW and b - alpha db begin the next step."
    )
    return Picture(canvas.figure, alt)

"""What the course hands to students: activations, their gradients, diagrams, and the names of the modules beside it.

Examples are columns: ``A`` and ``Z`` are (units, m), ``W`` is (units, units of the layer before) and
``b`` is (units, 1).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dnn.data_files import DataFileError, load_data, load_digits
from dnn.figures import (
    BACKWARD,
    CACHE,
    DASHES,
    FORWARD,
    INK,
    TINTS,
    Canvas,
    Picture,
    draw_costs,
    draw_decision_regions,
    draw_images,
    draw_signal,
    up,
    with_default_style,
)
from dnn.gradient_lab import GradientReport, check_network, gradient_check

_ACTIVATIONS = ["relu", "relu_backward", "sigmoid", "sigmoid_backward"]
try:
    from dnn.activations import relu, relu_backward, sigmoid, sigmoid_backward  # noqa: F401 - handed on
except ModuleNotFoundError:
    _HERE: list[str] = []
else:
    _HERE = _ACTIVATIONS

__all__ = [
    "DataFileError",
    "GradientReport",
    "Picture",
    "check_network",
    "draw_activations",
    "draw_backward",
    "draw_costs",
    "draw_decision_regions",
    "draw_forward",
    "draw_images",
    "draw_layer_backward",
    "draw_layer_forward",
    "draw_network",
    "draw_signal",
    "draw_training_step",
    "gradient_check",
    "load_data",
    "load_digits",
    *_HERE,
]


def __getattr__(name: str) -> object:
    if name in _ACTIVATIONS:
        raise ImportError(
            f"dnn_utils: there is no {name} here, because activations.py is not in the folder dnn; an assignment that"
            f" asks for {name} comes without: write it yourself. In any other, put dnn/activations.py back, as it was"
            " in the release."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- diagrams: the network, its activations, one layer, one pass, one step of training


def _units(layer: int, layer_dims: list[int], output: str) -> str:
    return output if layer == len(layer_dims) - 1 else "ReLU"


@with_default_style
def draw_network(layer_dims: list[int], output: str = "sigmoid") -> Picture:
    """The units of every layer, and the shapes of the parameters between them."""
    most = 6  # units drawn per layer; dots stand for the rest
    height = 2.1 + 0.42 * (min(max(layer_dims), most) - 1)
    canvas = Canvas(2.2 * len(layer_dims) + 0.2, height)
    columns = []
    for l, n in enumerate(layer_dims):
        x, rows = 1.2 + 2.2 * l, min(n, most)
        ys = [(height + 0.1) / 2 + 0.42 * ((rows - 1) / 2 - row) for row in range(rows)]
        if n > most:
            canvas.text(x, ys.pop(most // 2), "⋮", 14)
        columns.append((x, ys))
        canvas.text(x, height - 0.2, f"layer {l}" if l else "input", 10.5, weight="bold")
        canvas.text(x, height - 0.47, _units(l, layer_dims, output) if l else "the examples", 9, va="baseline")
        canvas.text(x, 0.5, up("A", l) if l else "$X = A^{[0]}$", 11)
        canvas.text(x, 0.22, f"({n}, m)", 9)
        color = FORWARD if l else INK
        canvas.axes.plot([x] * len(ys), ys, "o", ms=14.5, mfc=TINTS[color], mec=color, mew=1.4, zorder=3)
    for l, ((x, ys), (next_x, next_ys)) in enumerate(pairwise(columns), 1):
        for y in ys:
            for next_y in next_ys:
                canvas.axes.plot([x, next_x], [y, next_y], color="#7fb8d8", linewidth=0.7, zorder=1)
        words = f"{up('W', l)} ({layer_dims[l]}, {layer_dims[l - 1]})\n{up('b', l)} ({layer_dims[l]}, 1)"
        canvas.text((x + next_x) / 2, 0.36, words, 9.5, FORWARD)
    told = "".join(
        f" Layer {l}: {n} {_units(l, layer_dims, output)} units, W{l} ({n}, {before}), b{l} ({n}, 1)."
        for l, (before, n) in enumerate(pairwise(layer_dims), 1)
    )
    start = f"A network with {layer_dims[0]} inputs; every unit is joined to every unit of the next layer."
    return Picture(canvas.figure, start + told)


@with_default_style
def draw_activations() -> Picture:
    """Sigmoid and ReLU, each with its slope, which the backward pass needs."""
    canvas = Canvas(8, 2.9)
    Z = np.linspace(-5, 5, 401)
    s = 1 / (1 + np.exp(-Z))
    curves = (("sigmoid", s, s * (1 - s), 2.6, 1.15), ("ReLU", np.maximum(0, Z), 1.0 * (Z > 0), 2.1, 0.82))
    for left, (name, A, slope, word_x, slope_y) in zip((0.6, 4.6), curves, strict=True):
        axes = canvas.figure.add_axes((left / 8, 0.19, 3.1 / 8, 0.66), xlim=(-5, 5), facecolor="none")
        axes.plot(Z, A, color=FORWARD, linewidth=2.2)
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


@with_default_style
def draw_layer_forward() -> Picture:
    """One layer forward, and what it keeps in its caches."""
    canvas = Canvas(8.4, 3.3)
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


@with_default_style
def draw_layer_backward() -> Picture:
    """The linear half of a layer backward: what enters, and which gradients leave."""
    canvas = Canvas(8.4, 3.9)
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


def draw_forward(layer_dims: list[int], output: str = "sigmoid") -> Picture:
    """The whole forward pass: the shapes between the layers, and one cache per layer."""
    return _draw_pass(layer_dims, output, FORWARD)


def draw_backward(layer_dims: list[int], output: str = "sigmoid") -> Picture:
    """The whole backward pass: which gradient enters which layer, and which ones leave."""
    return _draw_pass(layer_dims, output, BACKWARD)


@with_default_style
def _draw_pass(layer_dims: list[int], output: str, color: str) -> Picture:
    forward, last, told = color == FORWARD, len(layer_dims) - 1, []
    d = "" if forward else "d"
    canvas = Canvas(2.45 * last + 1.65, 3.5)
    for l, n in enumerate(layer_dims):
        x = 2.45 * l - 0.35
        name = up(f"{d}A", l) + (f" = {d}AL" if l == last else "") if l or d else "$X = A^{[0]}$"
        middle = 2.0 if forward else 1.65
        ends = [(max(x + 0.65, 0.25), middle), (x + 1.8, middle)]
        start, end = ends if forward else ends[::-1]
        canvas.arrow(start, end, color, name, f"({n}, m)")
        if not l:
            continue
        before, halves = layer_dims[l - 1], ["linear", _units(l, layer_dims, output)][:: 1 if forward else -1]
        kept = "  ".join([up("A", l - 1), up("W", l), up("b", l), up("Z", l)])
        shapes = f"{up(f'{d}W', l)} ({n}, {before})   {up(f'{d}b', l)} ({n}, 1)"
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


@with_default_style
def draw_training_step(layer_dims: list[int], output: str = "sigmoid") -> Picture:
    """Forward, cost, backward and update in one picture: the plan of the assignment."""
    last = len(layer_dims) - 1
    right = 2.0 * last + 1.8  # the middle of the cost
    canvas = Canvas(right + 0.8, 4.35)
    for l in range(last + 1):
        x, activation = 2.0 * l - 0.1, _units(l, layer_dims, output)
        canvas.arrow((max(x + 0.65, 0.5), 3.55), (x + 1.35, 3.55), FORWARD, up("A", l) if l else "$X$")
        if l:
            canvas.arrow((x + 1.35, 1.75), (x + 0.65, 1.75), BACKWARD, up("dA", l))
            canvas.box(x, 3.55, 1.3, 0.85, f"layer {l}\nlinear\n{activation}", FORWARD)
            canvas.box(x, 1.75, 1.3, 0.85, f"layer {l}\n{activation}\nlinear", BACKWARD)
            canvas.arrow((x, 3.12), (x, 2.18), CACHE)
            canvas.text(x + 0.1, 2.68, f"cache {l}", 9.5, CACHE, ha="left")
            canvas.arrow((x, 1.32), (x, 0.66), BACKWARD)
            canvas.text(x + 0.1, 1.03, f"{up('dW', l)}  {up('db', l)}", 9.5, BACKWARD, ha="left")
    canvas.box(right, 2.65, 1.1, 2.65, f"cost $J$\n\n{up('A', last)} beside\nthe labels $Y$", INK)
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

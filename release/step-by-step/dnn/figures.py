"""The figures of the notebooks: drawn by code, the same bytes every time, each with alternative text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours after Okabe and Ito; the backward pass is also dashed, so that a print in grey is readable.
INK, FORWARD, BACKWARD, CACHE = "#222222", "#0077bb", "#bb4400", "#886600"
TINTS = {INK: "#eeeeee", FORWARD: "#ddeeff", BACKWARD: "#ffeedd", CACHE: "#ffeecc"}
DASHES = (0, (3.5, 2))
PIXELS_PER_INCH, SHARPNESS = 96, 2  # of the displayed image; image pixels for each displayed pixel, in each direction


class Picture:
    """A drawing that a notebook shows as a PNG with alternative text.

    JupyterLab 4.6 shows an image/png output without alternative text, so text/html contains an <img> with it. image/png
    is for printing and converting notebooks (nbconvert reads its alt), text/plain for a terminal.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.image import imsave

        figure.set_dpi(PIXELS_PER_INCH * SHARPNESS)
        canvas, file = FigureCanvasAgg(figure), BytesIO()
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        pixels = (pixels + np.uint16(8)) // 17 * 17  # 16 shades per colour look the same, at half the size
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


class Canvas:
    """A white figure with coordinates in inches, and the shapes that the drawings share."""

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
        """An arrow with a name above it and a shape below; dashed for the backward pass."""
        dashes = DASHES if color == BACKWARD else "-"
        line = {"color": color, "arrowstyle": "-", "linewidth": 1.6, "linestyle": dashes, "shrinkA": 0}
        head = {"arrowstyle": "-|>", "linewidth": 0, "linestyle": "-", "mutation_scale": 14, "shrinkB": 0}
        self.axes.annotate("", end, start, arrowprops=line | {"shrinkB": 5})
        self.axes.annotate("", end, start, arrowprops=line | head)
        self.text((start[0] + end[0]) / 2, start[1] + 0.17, name, 11)
        self.text((start[0] + end[0]) / 2, start[1] - 0.16, shape, 8.5)


_MAX_DRAWN = 64
_picture_cache: dict[str, Picture] = {}  # by function and arguments


def with_default_style(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Make a function draw with Matplotlib's default style, independent of the notebook's settings.

    A picture whose arguments are only numbers and strings never changes, so it is cached: the grader draws it once for
    all submissions.
    """

    @wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> Picture:
        import matplotlib.style

        key = f"{draw.__module__}.{draw.__qualname__} {args!r} {kwargs!r}" if _is_plain((args, kwargs)) else ""
        if key in _picture_cache:
            return _picture_cache[key]
        with matplotlib.style.context("default"):
            picture = draw(*args, **kwargs)
        if key and len(_picture_cache) < _MAX_DRAWN:
            _picture_cache[key] = picture
        return picture

    return styled


def remembered() -> dict[str, Any]:
    """The cached pictures as JSON values, which the grader passes to its next process (figure cache)."""
    return {key: [b64encode(one.png).decode("ascii"), one.alt, one.width] for key, one in _picture_cache.items()}


def remember(pictures: Mapping[str, Any]) -> None:
    """Add the result of ``remembered`` to the cache. Raises ValueError or TypeError if it is damaged."""
    made = {}
    for key, (png, alt, width) in pictures.items():
        picture = Picture.__new__(Picture)  # __init__ would draw; this picture is already drawn
        picture.png, picture.alt, picture.width = b64decode(png, validate=True), str(alt), int(width)
        made[str(key)] = picture
    _picture_cache.update(made)


def _is_plain(value: Any) -> bool:
    """Whether ``repr`` identifies the value: only lists, tuples, dicts, numbers, strings and None."""
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(_is_plain(part) for item in value.items() for part in item)
    return value is None or type(value) in (bool, int, float, str)


def up(name: str, layer: int) -> str:
    return f"${name}^{{[{layer}]}}$"


# --- figures of a training

# Okabe and Ito again, dark enough for lines on paper; each curve and class also has its own dash or mark.
SERIES = ("#0077bb", "#bb4400", "#008866", "#aa4499", "#886600", "#222222")
STROKES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (8, 3)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P")


def _plot(width: float, height: float, x_name: str, y_name: str, right: float = 0.3) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0.85 / width, 0.6 / height, 1 - (0.85 + right) / width, 1 - 0.85 / height))
    axes.set(xlabel=x_name, ylabel=y_name)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#d9dce1", linewidth=0.6)
    axes.tick_params(labelsize=9)
    return figure, axes


def _curves(curves: Mapping[str, Any], xs: Callable[[int], Any], axes: Any, mark: bool) -> str:
    """Draw the curves with a legend at the right; return a description of each for the alternative text."""
    described = []
    for k, (label, values) in enumerate(curves.items()):
        y = np.array([float(np.squeeze(value)) for value in values])
        y[~np.isfinite(y)] = np.nan  # a gap
        look = {"color": SERIES[k % 6], "linestyle": STROKES[k % 6], "marker": MARKS[k % 6] if mark else None}
        axes.plot(xs(len(y)), y, linewidth=2, markersize=5.5, label=label, **look)
        known = y[np.isfinite(y)]
        gaps = f", {len(y) - len(known)} not finite" if len(known) < len(y) else ""
        described.append(
            f"{label}: from {known[0]:.4g} to {known[-1]:.4g}{gaps}" if len(known) else f"{label}: no number"
        )
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, fontsize=9.5, handlelength=3.2)
    return ". ".join(described) + "."


@with_default_style
def draw_costs(costs: Mapping[str, Sequence[float]], every: int = 100) -> Picture:
    """The cost curves of one or more runs: {label: costs}, one cost per ``every`` iterations."""
    figure, axes = _plot(8.4, 3.6, "iteration", "cost", right=2.2)
    described = _curves(costs, lambda count: np.arange(count) * every, axes, mark=False)
    return Picture(figure, f"Cost over the iterations. {described}")


@with_default_style
def draw_signal(sizes: Mapping[str, Sequence[float]], what: str = "mean size of the activations") -> Picture:
    """The size of the signal in layer 1, 2, …: {label: one number per layer}, on a logarithmic scale."""
    figure, axes = _plot(8.4, 3.6, "layer", what, right=2.2)
    if any(np.max(values, initial=0) > 0 for values in sizes.values()):  # Matplotlib warns if all values are zero
        axes.set_yscale("log", nonpositive="mask")
    described = _curves(sizes, lambda count: np.arange(1, count + 1), axes, mark=True)
    axes.set_xticks(range(1, 1 + max(len(values) for values in sizes.values())))
    return Picture(figure, f"{what} per layer, logarithmic scale. {described}".capitalize())


@with_default_style
def draw_decision_regions(predict: Callable[[np.ndarray], Any], X: np.ndarray, y: np.ndarray) -> Picture:
    """The decision regions of a network, tinted in the plane of two features, with the examples.

    predict   takes points as columns (2, n), and returns n whole numbers
    X, y      (2, m), and m labels
    """
    X, labels = np.asarray(X, float), np.ravel(y).astype(int)
    if X.ndim != 2 or len(X) != 2 or X.shape[1] != labels.size:
        raise ValueError(f"draw_decision_regions: X {X.shape} and {labels.size} labels; give two features, (2, m)")
    figure, axes = _plot(6.3, 4.4, "feature 1", "feature 2", right=1.2)
    low, high = X.min(axis=1), X.max(axis=1)
    room = 0.08 * np.where(high > low, high - low, 1)
    sides = [np.linspace(*ends, 240) for ends in zip(low - room, high + room, strict=True)]
    grid = np.stack([side.ravel() for side in np.meshgrid(*sides)])
    answers = np.ravel(predict(grid)).astype(int).reshape(240, 240)
    shown = sorted({*answers.flat, *labels})
    for k, answer in enumerate(shown):
        here, mine = answers == answer, labels == answer
        light = [1 - 0.22 * (1 - int(SERIES[k % 6][i : i + 2], 16) / 255) for i in (1, 3, 5)]
        axes.contourf(*sides, np.where(here, 1.0, 0.0), levels=[0.5, 1.5], colors=[light])
        if here.any() and not here.all():
            axes.contour(*sides, np.where(here, 1.0, 0.0), levels=[0.5], colors=INK, linewidths=0.9)
        axes.plot(*X[:, mine], MARKS[k % 6], ms=5.5, mfc=SERIES[k % 6], mec="white", mew=0.6, label=str(answer))
    axes.grid(visible=False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, fontsize=9.5, title="label")
    right = np.mean(np.ravel(predict(X)).astype(int) == labels)
    parts = ", ".join(f"{answer} on {np.mean(answers == answer):.0%}" for answer in shown)
    alt = f"{labels.size} examples on the plane of two features. The answer is {parts} of the plane; "
    return Picture(figure, alt + f"{right:.1%} of the examples lie where the answer is their label.")


@with_default_style
def draw_images(images: np.ndarray, labels: Any, predictions: Any = None, columns: int = 10) -> Picture:
    """The images in rows, at most 100, each above its label; a wrong prediction is named, and its image framed.

    images               (m, height, width) grey, drawn as ink on paper, or (m, height, width, 3) colours
    labels, predictions  m numbers or names each
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    right = _as_texts(labels)
    said = right if predictions is None else _as_texts(predictions)
    if not len(images) == len(right) == len(said) > 0:
        counts = f"{len(images)} images, {len(right)} labels, {len(said)} predictions"
        raise ValueError(f"draw_images: {counts}; give as many of each, and at least one")
    shown = min(len(images), 100)
    columns = max(1, min(columns, shown))
    side, step, rows = 0.76, 1.14 if predictions is None else 1.28, -(-shown // columns)
    width, height = max(0.86 * columns, 2.0), step * rows
    figure = Figure(figsize=(width, height), facecolor="white")
    described = []
    for k in range(shown):
        x, y, wrong = k % columns * 0.86 + 0.05, height - k // columns * step - side - 0.04, said[k] != right[k]
        axes = figure.add_axes((x / width, y / height, side / width, side / height))
        axes.set_axis_off()
        axes.imshow(images[k], cmap="gray_r", vmin=0, vmax=max(1, np.max(images)), interpolation="nearest")
        look: dict[str, Any] = {"fc": "none", "ec": BACKWARD if wrong else "#c4c8ce", "lw": 3 if wrong else 0.8}
        axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, clip_on=False, **look))
        words = f"{right[k]}\nsaid {said[k]}" if wrong else right[k]
        place: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 9.5, "linespacing": 1.1}
        axes.text(0.5, -0.08, words, transform=axes.transAxes, color=BACKWARD if wrong else INK, **place)
        described.append(f"{right[k]} taken for {said[k]}" if wrong else right[k])
    count = sum(a != b for a, b in zip(said[:shown], right[:shown], strict=True))
    first = f"The first {shown} of {len(images)} images" if shown < len(images) else f"{shown} images"
    wrongly = "" if predictions is None else f" {count} predicted wrongly, framed."
    return Picture(figure, f"{first} in rows of {columns}.{wrongly} In order: {', '.join(described)}.")


def _as_texts(labels: Any) -> list[str]:
    return [label.decode() if isinstance(label, bytes) else str(label) for label in np.ravel(labels).tolist()]


@with_default_style
def draw_errors(name: str, errors: np.ndarray, wrong: np.ndarray, described: str = "") -> Picture:
    """The error of every entry of one gradient, dark where it is large; a cross marks a wrong entry."""
    from matplotlib.figure import Figure

    rows = len(errors) if errors.ndim > 1 else 1
    logs = np.log10(np.clip(np.nan_to_num(errors, nan=1.0), 1e-10, 1)).reshape(rows, -1)
    ys, xs = np.nonzero(wrong.reshape(rows, -1))
    columns = logs.shape[1]
    cell = min(0.5, 6.2 / columns, 4.0 / rows)
    wide, high = max(cell * columns, 0.5), max(cell * rows, 0.5)
    width, height = max(wide + 2.3, 6.3), high + 1.3
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0.8 / width, 0.65 / height, wide / width, high / height), xlabel="column", ylabel="row")
    image = axes.imshow(logs, cmap="YlOrBr", vmin=-10, vmax=0, aspect="auto", interpolation="nearest")
    ink = np.where(logs[ys, xs] > -4, "white", INK)
    axes.scatter(xs, ys, marker="x", s=(cell * 30) ** 2, c=ink, linewidths=max(0.3, 4 * cell))
    for axis, count in ((axes.xaxis, columns), (axes.yaxis, rows)):
        axis.set_ticks(range(0, count, -(-count // 8)))
    side = figure.add_axes(((wide + 1.1) / width, 0.65 / height, 0.16 / width, high / height))
    figure.colorbar(image, cax=side).set_ticks([-10, -5, 0], labels=["1e-10", "1e-5", "1"])
    verdict = f"{wrong.sum()} of {wrong.size} entries wrong" if wrong.any() else "every entry is right"
    color = BACKWARD if wrong.any() else INK
    figure.text(0.8 / width, 1 - 0.35 / height, f"error of d{name}: {verdict}", fontsize=10.5, color=color)
    end = f" {described}." if described else ""
    return Picture(figure, f"Relative error of every entry of the gradient of {name}: {verdict}.{end}")

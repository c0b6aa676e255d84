"""The drawings that only this assignment needs; the others are in dnn_utils."""

import numpy as np

from dnn.figures import BACKWARD, CACHE, DASHES, FORWARD, INK, Canvas, with_default_style
from dnn_utils import Picture

GRID = "#d9dce1"
PARTS = (("train", "o", INK), ("validation", "s", FORWARD), ("test", "D", BACKWARD))  # name, mark, colour


@with_default_style
def draw_softmax(scores, shares):
    """The scores of one example as bars, and the probabilities that softmax makes of them.

    scores, shares   lists of numbers, one per class
    """
    figure, (left, right) = _panels(2.6)
    classes = np.arange(len(scores))
    for axes, values, title, words in (
        (left, scores, "scores $z$", [f"{value:g}" for value in scores]),
        (right, shares, "probabilities $a$", [f"{value:.3f}" for value in shares]),
    ):
        axes.bar(classes, values, width=0.55, color="#ddeeff", edgecolor=FORWARD, linewidth=1.4)
        axes.bar_label(axes.containers[0], words, padding=3, fontsize=9.5)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_title(title, fontsize=11)
        axes.set_xticks(classes, [f"class {k}" for k in classes])
        axes.margins(y=0.2)
    told = ", ".join(f"{score:g} becomes {share:.3f}" for score, share in zip(scores, shares, strict=True))
    return Picture(figure, f"Two bar charts: scores and the probabilities that softmax makes of them. {told}.")


@with_default_style
def draw_push(before, after, normalised_before, normalised_after):
    """One unit over the batch: its activations, of which one is pushed, and how all normalised ones move.

    before, after                         (m,)   activations without and with the push
    normalised_before, normalised_after   (m,)   the same after batch normalisation
    """
    figure, panels = _panels(3.2)
    pairs = ((before, after), (normalised_before, normalised_after))
    examples = np.arange(1, len(before) + 1)
    titles = ("activations of one unit: one is pushed", "after batch normalisation: all of them move")
    for axes, (old, new), title in zip(panels, pairs, titles, strict=True):
        axes.plot(examples, old, "o", ms=8, mfc="white", mec=FORWARD, mew=1.6, label="before")
        axes.plot(examples, new, "o", ms=4, color=BACKWARD, label="after")
        for x, start, end in zip(examples, old, new, strict=True):
            if abs(end - start) > 0.01:
                look = {"arrowstyle": "-|>", "color": BACKWARD, "linewidth": 1.4, "mutation_scale": 9}
                axes.annotate("", (x, end), (x, start), arrowprops=look | {"shrinkA": 4, "shrinkB": 0})
        axes.set_title(title, fontsize=10.5)
        axes.set_xticks(examples, [f"example {k}" for k in examples], fontsize=8.5)
        axes.margins(x=0.1, y=0.15)
    panels[1].axhline(0, color=INK, linewidth=0.8, linestyle=DASHES)
    panels[0].legend(fontsize=9, frameon=False)
    moves = ", ".join(f"{end - start:+.2f}" for start, end in zip(*pairs[1], strict=True))
    alt = f"The activations of one unit for {len(before)} examples. One of them is pushed up. Normalised, all move: "
    return Picture(figure, alt + moves + ".")


@with_default_style
def draw_results(results):
    """The accuracies of every experiment side by side, and the steps that it took.

    results   dict of what training.summary gives, by the name of the experiment
    """
    figure, (left, right) = _panels(1.2 + 0.4 * len(results), 2.0, wide=1.9, below=0.75)
    rows = np.arange(len(results))
    found = [100 * result[part] for result in results.values() for part, _, _ in PARTS]
    low = min([value for value in found if value >= 50], default=0) - 2  # who guesses would spoil the scale
    for row, result in enumerate(results.values()):
        if 100 * result["test"] < low:
            left.text(low + 0.2, row, f"\u2190 test {result['test']:.1%}", va="center", fontsize=9, color=BACKWARD)
    for part, mark, color in PARTS:
        values = [100 * result[part] for result in results.values()]
        left.plot(values, rows, mark, color=color, ms=7, mfc="white" if part == "train" else color, label=part)
    left.set(xlim=(low, 100.5), ylim=(len(results) - 0.5, -0.5))
    left.set_yticks(rows, list(results))
    left.set_title("accuracy in %", fontsize=10.5)
    left.legend(fontsize=9, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.09))
    steps = [result["steps"] for result in results.values()]
    right.barh(rows, steps, height=0.55, color="#ddeeff", edgecolor=FORWARD, linewidth=1.4)
    right.bar_label(right.containers[0], [f"{value:,}" for value in steps], padding=3, fontsize=9)
    right.set(xlim=(0, 1.3 * max(steps)), ylim=left.get_ylim(), yticks=[], xticks=[])
    right.set_title("steps", fontsize=10.5)
    told = ". ".join(
        f"{name}: " + ", ".join(f"{part} {result[part]:.1%}" for part, _, _ in PARTS) + f", {result['steps']:,} steps"
        for name, result in results.items()
    )
    return Picture(figure, f"Accuracy and steps of every experiment. {told}.")


@with_default_style
def draw_way_back(layers):
    """The way back through a network of so many layers, with the places where batch normalisation belongs."""
    canvas = Canvas(2.1 * layers + 1.1, 2.3)
    right, y = 2.1 * layers + 0.95, 1.65
    told = []
    for l in range(layers, 0, -1):
        hidden, x = l < layers, right - 1.25 - 2.1 * (layers - l)
        canvas.box(x, y, 0.95, 1.1, f"layer {l}\n" + ("ReLU,\nlinear" if hidden else "softmax,\nlinear"), BACKWARD)
        canvas.arrow((x, y - 0.55), (x, y - 1.05), BACKWARD)
        canvas.text(x, y - 1.3, f"dW{l}, db{l}", 9.5)
        canvas.arrow((x - 0.475, y), (x - 1.09 if l > 1 else x - 1.0, y), BACKWARD)
        canvas.text(x - 0.78, y + 0.17, f"dA{l}", 9.5)
        if l > 1:
            canvas.box(x - 1.28, y, 0.36, 1.1, "", CACHE)
            canvas.axes.patches[-1].set_linestyle(DASHES)
            canvas.text(x - 1.28, y, "batch norm.", 8, CACHE, rotation=90)
            canvas.arrow((x - 1.46, y), (x - 1.625, y), BACKWARD)
        told.append(f"layer {l} gives dW{l}, db{l} and dA{l}")
    canvas.arrow((right, y), (right - 0.775, y), BACKWARD)
    canvas.text(right - 0.35, y + 0.17, "AL − Y", 9.5)
    alt = "The way back, right to left, beginning with AL - Y: " + ", then ".join(told)
    return Picture(canvas.figure, alt + ". Between two layers there is a dashed box for batch normalisation.")


def _panels(height, margin=0.6, wide=1.0, below=0.4):
    """A figure, and two axes side by side in it, the left one ``wide`` times as wide as the right one."""
    from matplotlib.figure import Figure

    width, gap = 8.6, 0.55
    figure = Figure(figsize=(width, height), facecolor="white")
    room = width - margin - gap - 0.2
    left, right = room * wide / (1 + wide), room / (1 + wide)
    axes = []
    for start, size in ((margin, left), (margin + left + gap, right)):
        each = figure.add_axes((start / width, below / height, size / width, 1 - (below + 0.4) / height))
        each.spines[["top", "right"]].set_visible(False)
        each.grid(color=GRID, linewidth=0.6)
        each.set_axisbelow(True)
        each.tick_params(labelsize=9)
        axes.append(each)
    return figure, axes

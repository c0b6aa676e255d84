"""Notebooks that are expensive to show: on our own page, and in the Formgrader."""

from collections.abc import Callable

from benchmarks.costly.kit import (
    ALL,
    MIB,
    Costly,
    Notebook,
    answered,
    behind_every_cell,
    blank,
    code,
    lazily,
    text,
    with_cells,
)  # fmt: skip

_FIGURES = """from IPython.display import display
import matplotlib.pyplot as plt, io, base64
buffer = io.BytesIO()
figure, axes = plt.subplots(); axes.imshow(np.random.rand(1000, 1000))
figure.savefig(buffer, format='png'); plt.close()
data = base64.b64encode(buffer.getvalue()).decode()
for _ in range(200): display({'image/png': data[: len(data) // 4 * 4], 'text/plain': 'x'}, raw=True)"""


RENDERED = 19_900  # characters of Markdown in one cell that are rendered, and not shown as they are


def _costly(name: str, make: Callable[[], Notebook]) -> Costly:
    return Costly(name, "rendering", lazily(make))


def _large(name: str, make: Callable[[], Notebook]) -> Costly:
    return Costly(name, "rendering", lazily(make), refusable=True)


def _markdown(piece: str) -> Callable[[], Notebook]:
    """A flood of this piece: a megabyte in one cell, and again in as many cells as hold what is still rendered."""
    long = piece * (MIB // len(piece) + 1)
    return lambda: with_cells(text(long if not n else long[:RENDERED], f"text-{n}") for n in range(60))


def _markdown_text(source: str, cells: int = 1) -> Callable[[], Notebook]:
    """Cells with this text, whole."""
    return lambda: with_cells([text(source, f"text-{number}") for number in range(cells)])


def _raw(source: str, cells: int = 1) -> Callable[[], Notebook]:
    return lambda: with_cells([text(source, f"raw-{number}", "raw") for number in range(cells)])


def _shown(kind: str, value: str, cells: int = 1, times: int = 1) -> Callable[[], Notebook]:
    """Outputs of one kind; ``value`` is Python that makes what is shown."""
    source = f"for _ in range({times}): display({{{kind!r}: {value}}}, raw=True)"
    return lambda: with_cells([code(source, f"shown-{number}") for number in range(cells)])


def _printed(value: str, cells: int = 1) -> Callable[[], Notebook]:
    return lambda: with_cells([code(f"print({value})", f"printed-{number}") for number in range(cells)])


def _long_answer() -> Notebook:
    """An answer that is right, behind 4 MB of comments in one line."""
    return answered("cost = np.sum(losses) / m", "cost = np.sum(losses) / m  # " + "x = [1] " * 500_000)


_TABLE = "'<table>' + '<tr><td>1</td><td>2</td></tr>' * 100_000 + '</table>'"
_SVG = "'<svg xmlns=\"http://www.w3.org/2000/svg\">' + '<path d=\"M0 0L9 9\"/>' * 50_000 + '</svg>'"
_NUMBER = "&#" + "9" * 5_000 + ";"
_LATEX = r"$\frac{a}{b}+\sum_{i=1}^{n}\sqrt{x_i}$ "

INPUTS = (
    _costly("Markdown: <div> in each other", _markdown("<div>")),
    _costly("Markdown: <div>, opened and closed", _markdown("<div>x</div>\n")),
    _costly("Markdown: tables in tables", _markdown("<table><tr><td>")),
    _costly("Markdown: entities", _markdown("&lt;&#x41;&amp;")),
    _costly("Markdown: equations", _markdown(_LATEX)),
    _costly("Markdown: equations on lines of their own", _markdown(f"$${_LATEX.strip('$ ')}$$\n\n")),
    _costly("Markdown: fractions in fractions", _markdown("$" + r"\frac{" * 180 + "x" + "}" * 180 + "$ ")),
    _costly("Markdown: equations that end in }'", _markdown("$" + "x_{1}'" * 300 + "$ ")),
    _costly("Markdown: opening dollars", _markdown("$x ")),
    _costly("Markdown: [** again and again", _markdown("[**")),
    _costly("Markdown: brackets in brackets", _markdown("[" * 9_000 + "]" * 9_000)),
    _costly("Markdown: *a _b again and again", _markdown("*a _b ")),
    _costly("Markdown: quotations in quotations", _markdown("> " * 500 + "x\n")),
    _costly("Markdown: lists in lists", _markdown("\n".join(" " * 2 * depth + "* x" for depth in range(130)))),
    _costly("Markdown: a table of 3,000 rows", _markdown("|a|b|\n|--|--|\n" + "|1|2|\n" * 3_000)),
    _costly("Markdown: a table of 500 columns", _markdown("|a" * 500 + "|\n" + "|--" * 500 + "|\n" + "|1\n" * 500)),
    _costly("Markdown: links by reference", _markdown("".join(f"[a{n}]: b\n" for n in range(900)) + "[a1] " * 1_500)),
    _costly("Markdown: backticks, one more each time", _markdown(" ".join("`" * n for n in range(1, 190)))),
    _large("Markdown: one line of 8 MB", _markdown_text("x" * (8 * MIB))),
    _large("Markdown: eight million line ends", _markdown_text("\n" * (8 * MIB) + "x")),
    _large("raw cells: eight million line ends", _raw("\n" * (8 * MIB) + "x")),
    _costly("raw cells: a million lines", _raw("x\n" * 100_000, 10)),
    _large("code: one line of 4 MB", _long_answer),
    _costly("code: quotation marks that never end", lambda: with_cells([code("'''\"\\" * 200_000)])),
    _costly("HTML: 20,000 <div> in each other", _shown("text/html", "'<div>' * 20_000", 5, 8)),
    _costly("HTML: 2,000 tables in tables", _shown("text/html", "'<table><tr><td>' * 2_000", 5, 8)),
    _costly("HTML: a table of 100,000 rows", _shown("text/html", _TABLE)),
    _costly("HTML: 4 MB of attributes", _shown("text/html", "'<p ' + 'a=1 ' * 900_000 + '>'")),
    _costly("HTML: 200 pieces of 4 MB", _shown("text/html", "'<b>x</b>' * 400_000", cells=8, times=200)),
    _costly("HTML: a million beginnings of tags", _shown("text/html", "'<a' * 1_000_000")),
    _costly("HTML: a million beginnings of comments", _shown("text/html", "'<!--' * 900_000")),
    _costly("HTML: end tags that never end", _shown("text/html", "'</a \">\"' * 20_000", 5, 8)),
    _costly("HTML: letters that are taken for others", _shown("text/html", r"'<\u017f' * 70_000", 5, 8)),
    _costly("HTML: characters as numbers of 5,000 digits", _shown("text/html", repr(f"<p>{_NUMBER}"), 5, 8)),
    _costly("Markdown: characters as numbers of 5,000 digits", _markdown(f"<div title='{_NUMBER}'>\n{_NUMBER}\n")),
    _costly("Markdown: end tags that never end", _markdown("</a \">\"")),
    _costly("HTML: 900,000 entities", _shown("text/html", "'&lt;' * 900_000")),
    _costly("SVG: 50,000 paths", _shown("image/svg+xml", _SVG, times=3)),
    _costly("LaTeX: 200 outputs in 20 cells", _shown("text/latex", repr(_LATEX * 20), cells=20, times=200)),
    _costly("LaTeX: fractions in fractions", _shown(
        "text/latex", r"'$' + '\\frac{' * 240 + 'x' + '}' * 240 + '$'", 20, 40)),
    _costly("LaTeX: }' again and again", _shown("text/latex", "'$' + \"x_{1}'\" * 320 + '$'", 20, 40)),
    _costly("ANSI: colours without end", _printed(r"'\x1b[31mx\x1b[1;38;5;99m' * 20_000", 20)),
    _costly("ANSI: the cursor goes back", _printed(r"'x\r' * 100_000 + 'y\b' * 50_000", 20)),
    _costly("text: line ends", _printed(r"'\n' * 200_000", 40)),
    _costly("text: one line in every cell", lambda: behind_every_cell("print('x' * 200_000)")),
    _costly("200 displays in every cell", lambda: behind_every_cell("for _ in range(200): display(Ellipsis)")),
    _costly("200 pictures in one cell", lambda: with_cells([code(_FIGURES)])),
    _costly("JSON: as deep as it may be", _shown("application/json", "eval('[' * 90 + '1' + ']' * 90)", times=200)),
    _costly("errors: a trace of 200,000 letters in every cell", lambda: behind_every_cell(
        "raise ValueError('x ' * 100_000)")),
    Costly("nothing written, behind 20,000 equations", "rendering", lazily(
        lambda: with_cells([text(_LATEX * 20_000, "text")], notebook=blank())), lost=ALL),
)  # fmt: skip

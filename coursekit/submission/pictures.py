"""Pictures that a notebook only refers to, put into it: files handed in beside it, and what its own cells showed."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from coursekit.model import notebooks
from coursekit.submission import attachments

MAX_FILES, MAX_OUTPUTS = 40, 50
_KINDS = ("image/png", "image/jpeg", "image/gif")
_NOT_KEPT = ("image/svg+xml", "image/webp", "application/vnd.plotly.v1+json")  # of these it counts that they were there
_AGAIN = "drawn again"  # how an output is marked that the cell's code makes anew
_SUFFIX = r"\.(?:png|jpe?g|gif)"
# Where a text may name a picture: ![](<a b.png>), ![](a.png "title"), ![](a (1).png), [a]: a.png, <img src="a.png">.
_ADDRESSES = re.compile(
    r"""\]\(\s{0,3}<(?P<pointed>[^<>\n]{1,300})>"""
    rf"""|\]\(\s{{0,3}}(?P<plain>[^()<>\n]{{1,200}}?(?:\([^()\n]{{1,60}}\)[^()<>\n]{{0,60}}?)?{_SUFFIX})(?=[\s)?#])"""
    r"""|^[ ]{0,3}\[[^\]\n]{1,100}\]:[ ]{0,3}<?(?P<defined>[^\s<>]{1,300})"""
    r"""|\bsrc\s{0,3}=\s{0,3}(?P<quote>["'])(?P<quoted>[^"'\n]{1,300})(?P=quote)"""
    r"""|\bsrc\s{0,3}=\s{0,3}(?P<bare>[^\s"'<>]{1,300})""",
    re.IGNORECASE | re.MULTILINE,
)
_IN_CODE = re.compile(rf"""["']([^"'\n]{{1,300}}{_SUFFIX})["']""", re.IGNORECASE)
_SHOWS_A_FILE = re.compile(rf"\bImage\(|imread|files\.upload|{_SUFFIX}\b", re.IGNORECASE)


def shows_a_file(source: str) -> bool:
    """Whether code shows a picture file, so that its outputs may be part of a written answer."""
    return _SHOWS_A_FILE.search(source[:100_000]) is not None


def is_drawn_again(source: str) -> bool:
    """Whether what the code showed comes out anew when it is run: it does something, and shows no file."""
    does = any(line.strip() and not line.lstrip().startswith("#") for line in source.split("\n"))
    return does and not shows_a_file(source)


def shown_by(source: str, outputs: Any) -> list[NotebookNode]:
    """The pictures among a code cell's outputs; an empty output where there were some, and none can be kept."""
    if not isinstance(outputs, list):
        return []
    bundles: dict[str, dict[str, Any]] = {}
    there = False
    for number, output in enumerate(outputs[:MAX_OUTPUTS], 1):
        data = output.get("data", output) if isinstance(output, dict) else None  # format 3 has no "data"
        if isinstance(data, dict):
            old = {f"image/{kind}": data[kind] for kind in ("png", "jpeg") if kind in data}
            bundles[f"output-{number}"] = old | {kind: data[kind] for kind in _KINDS if kind in data}
            there = there or bool(bundles[f"output-{number}"]) or any(kind in data for kind in _NOT_KEPT)
    again = is_drawn_again(source)
    made = [_output(bundle, again) for bundle in attachments.kept(bundles).values()]
    return made or ([_output({}, again)] if there else [])


def of_outputs(cell: NotebookNode, *, again: bool) -> dict[str, dict[str, str]]:
    """The pictures that a code cell of a plain notebook has, as if they were attached: those drawn again, or others."""
    found: dict[str, dict[str, str]] = {}
    for output in cell.get("outputs", ()):
        if not isinstance(output, dict) or (_AGAIN in output.get("metadata", ())) != again:
            continue
        bundle = attachments.kept({"output": output.get("data")}).get("output")
        if bundle:
            attachments.add(found, f"output.{next(iter(bundle)).removeprefix('image/')}", bundle)
    return found


def forget_plots(notebook: NotebookNode, cells: Iterable[str]) -> None:
    """Takes away what these cells, which are ours, draw again: nobody's answer, and there is much of it."""
    names = frozenset(cells)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id in names:
            cell.outputs = [output for output in cell.outputs if _AGAIN not in output.metadata]


def put_in(notebook: NotebookNode, files: Mapping[str, bytes]) -> None:
    """The picture files to which texts refer become attachments of these texts, as many as there is room for.

    An answer that became a code cell is not run, so its picture becomes an output; in other code cells the file is
    there when they are run, and so it is drawn again.
    """
    beside = _Beside(files)
    if not beside:
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _into_code(cell, beside)
        else:
            _into_text(cell, beside)
    attachments.bounded(sorted(notebook.cells, key=lambda cell: notebooks.grade_id(cell) is None))


class _Beside:
    """The pictures among the files, by the ways in which a text may call them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._by_path: dict[str, tuple[str, bytes]] = {}
        by_name: dict[str, list[tuple[str, bytes]]] = {}
        named = [name for name in files if re.search(rf"{_SUFFIX}\Z", name, re.IGNORECASE)]
        for name in named[:MAX_FILES]:
            self._by_path[_plain(name)] = (name, files[name])
            by_name.setdefault(_plain(PurePosixPath(name).name), []).append((name, files[name]))
        self._by_name = {name: found[0] for name, found in by_name.items() if len(found) == 1}

    def __bool__(self) -> bool:
        return bool(self._by_path)

    def called(self, address: str) -> tuple[str, dict[str, str]] | None:
        """The file's own name and the picture; by its name alone where only one has it, since folders get lost."""
        if re.match(r"(?:https?|ftp|data|attachment):|//", address, re.IGNORECASE):
            return None
        path = _plain(re.split(r"[?#]", address)[0])
        name, data = self._by_path.get(path) or self._by_name.get(PurePosixPath(path).name) or ("", b"")
        if not 0 < len(data) <= attachments.MAX_CHARS * 3 // 4:
            return None
        picture = attachments.of_base64(base64.b64encode(data).decode("ascii"))
        return (PurePosixPath(name).name, picture) if picture else None


def _plain(path: str) -> str:
    path = attachments.normal(path).replace("\\", "/").strip()
    return PurePosixPath(path).as_posix().casefold()


def _into_text(cell: NotebookNode, beside: _Beside) -> None:
    pictures = dict(cell.get("attachments") or {})
    before = len(pictures)

    def attached(reference: re.Match[str]) -> str:
        group = next(name for name in ("pointed", "plain", "defined", "quoted", "bare") if reference[name])
        found = beside.called(unquote(reference[group]))
        if not found or not attachments.has_room(pictures, found[1]):
            return reference[0]
        start, end = (place - reference.start() for place in reference.span(group))
        name = attachments.add(pictures, *found)
        return f"{reference[0][:start]}attachment:{name}{reference[0][end:]}"

    source = _ADDRESSES.sub(attached, cell.source[:100_000]) + cell.source[100_000:]
    if len(pictures) > before:
        cell.source, cell.attachments = source, nbformat.from_dict(pictures)


def _into_code(cell: NotebookNode, beside: _Beside) -> None:
    found = [picture for _, picture in filter(None, map(beside.called, _in_code(cell.source)))]
    if found:
        in_answer = notebooks.grade_id(cell) is not None
        cell.outputs = [_output(picture, not in_answer) for picture in found[: attachments.MAX_PICTURES]]


def _in_code(source: str) -> Iterator[str]:
    for name in _IN_CODE.finditer(source[:100_000]):
        yield name[1]


def _output(picture: Mapping[str, str], again: bool) -> NotebookNode:
    made = {"output_type": "display_data", "data": dict(picture), "metadata": {_AGAIN: True} if again else {}}
    return nbformat.from_dict(made)

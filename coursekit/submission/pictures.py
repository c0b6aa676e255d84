"""Pictures to which a notebook refers become part of it: files beside it, and outputs of its own cells."""

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
_NOT_KEPT = ("image/svg+xml", "image/webp", "application/vnd.plotly.v1+json")  # only their presence is noted
_REDRAWN = "drawn again"  # metadata key of an output that running the cell produces again
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
    """Whether running the code produces its pictures again: it has statements, and shows no file."""
    does = any(line.strip() and not line.lstrip().startswith("#") for line in source.split("\n"))
    return does and not shows_a_file(source)


def shown_by(source: str, outputs: Any) -> list[NotebookNode]:
    """The pictures among a code cell's outputs; one empty output if there were pictures but none can be kept."""
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
    made = [_output(bundle, again) for bundle in attachments.accepted(bundles).values()]
    return made or ([_output({}, again)] if there else [])


def of_outputs(cell: NotebookNode, *, again: bool) -> dict[str, dict[str, str]]:
    """The output pictures of a code cell of a plain notebook, as attachments: only redrawn ones, or only others."""
    found: dict[str, dict[str, str]] = {}
    for output in cell.get("outputs", ()):
        if not isinstance(output, dict) or (_REDRAWN in output.get("metadata", ())) != again:
            continue
        bundle = attachments.accepted({"output": output.get("data")}).get("output")
        if bundle:
            attachments.add(found, f"output.{next(iter(bundle)).removeprefix('image/')}", bundle)
    return found


def forget_plots(notebook: NotebookNode, cells: Iterable[str]) -> None:
    """Remove the redrawn pictures of these source cells: they are no answers, and they are large."""
    names = frozenset(cells)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id in names:
            cell.outputs = [output for output in cell.outputs if _REDRAWN not in output.metadata]


def put_in(notebook: NotebookNode, files: Mapping[str, bytes]) -> None:
    """Attach the picture files to the texts that refer to them, within the limits.

    A written answer in a code cell is not run, so its picture is stored as an output. Other code cells read the file
    when they run, so their picture is marked as redrawn.
    """
    picture_files = _PictureFiles(files)
    if not picture_files:
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _attach_to_code(cell, picture_files)
        else:
            _attach_to_text(cell, picture_files)
    attachments.drop_excess(sorted(notebook.cells, key=lambda cell: notebooks.grade_id(cell) is None))


class _PictureFiles:
    """The pictures among the files, found by path or by name."""

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

    def find(self, address: str) -> tuple[str, dict[str, str]] | None:
        """The file's name and the picture; found by name alone if that is unique, since students move files."""
        if re.match(r"(?:https?|ftp|data|attachment):|//", address, re.IGNORECASE):
            return None
        path = _plain(re.split(r"[?#]", address)[0])
        name, data = self._by_path.get(path) or self._by_name.get(PurePosixPath(path).name) or ("", b"")
        if not 0 < len(data) <= attachments.MAX_CHARS * 3 // 4:
            return None
        picture = attachments.from_base64(base64.b64encode(data).decode("ascii"))
        return (PurePosixPath(name).name, picture) if picture else None


def _plain(path: str) -> str:
    path = attachments.normalized(path).replace("\\", "/").strip()
    return PurePosixPath(path).as_posix().casefold()


def _attach_to_text(cell: NotebookNode, picture_files: _PictureFiles) -> None:
    pictures = dict(cell.get("attachments") or {})
    before = len(pictures)

    def attached(reference: re.Match[str]) -> str:
        group = next(name for name in ("pointed", "plain", "defined", "quoted", "bare") if reference[name])
        found = picture_files.find(unquote(reference[group]))
        if not found or not attachments.has_room(pictures, found[1]):
            return reference[0]
        start, end = (place - reference.start() for place in reference.span(group))
        name = attachments.add(pictures, *found)
        return f"{reference[0][:start]}attachment:{name}{reference[0][end:]}"

    source = _ADDRESSES.sub(attached, cell.source[:100_000]) + cell.source[100_000:]
    if len(pictures) > before:
        cell.source, cell.attachments = source, nbformat.from_dict(pictures)


def _attach_to_code(cell: NotebookNode, picture_files: _PictureFiles) -> None:
    found = [picture for _, picture in filter(None, map(picture_files.find, _in_code(cell.source)))]
    if found:
        in_answer = notebooks.grade_id(cell) is not None
        cell.outputs = [_output(picture, not in_answer) for picture in found[: attachments.MAX_PICTURES]]


def _in_code(source: str) -> Iterator[str]:
    for name in _IN_CODE.finditer(source[:100_000]):
        yield name[1]


def _output(picture: Mapping[str, str], again: bool) -> NotebookNode:
    made = {"output_type": "display_data", "data": dict(picture), "metadata": {_REDRAWN: True} if again else {}}
    return nbformat.from_dict(made)

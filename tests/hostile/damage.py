"""Kinds of damage to a hand-in, each as a recipe: what is handed in, and what is found and told."""

import copy
import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from coursekit.model.course import Course
from tests.classroom import ASSIGNMENT, ROOT, fill_in, released_notebook, solution_cells, text

NAME = f"{ASSIGNMENT}.ipynb"
COURSE = Course(ROOT)
SOLUTIONS = solution_cells(COURSE)
SOLVED = json.dumps(fill_in(released_notebook(COURSE), SOLUTIONS), indent=1)
BLANK = json.dumps(released_notebook(COURSE), indent=1)
NEAR, FAR = "linear-forward", "update-parameters"  # an answer in the first half of the notebook, and the last one
FUNCTION = "linear_forward"
STUB = text(next(cell for cell in json.loads(BLANK)["cells"] if cell["id"] == FAR))
DOWNLOAD = "open the notebook in JupyterLab, choose File > Download, and hand in the .ipynb file that you get"

Files = dict[str, bytes]


def solved() -> dict:
    return json.loads(SOLVED)


def at(notebook: dict, cell_id: str) -> int:
    return next(index for index, cell in enumerate(notebook["cells"]) if cell.get("id") == cell_id)


def code(source: str, cell_id: str | None = "mine", **metadata) -> dict:
    cell = {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}
    return cell | ({"id": cell_id} if cell_id else {})


def packed(files: dict[str, str | bytes], change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, data)
    return buffer.getvalue()


@dataclass(frozen=True)
class Case:
    """What is handed in; then either why there is nothing to grade, or which answers are lost, and all that is told."""

    make: Callable[[], dict | str | bytes | Files]
    told: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    problem: str = ""
    name: str = NAME


def case(make, *told: str, lost=(), problem: str = "", name: str = NAME) -> Case:
    return Case(make, told, frozenset(lost), problem, name)


# --- notebooks that editors and people have changed ------------------------------------------------


def changed(change: Callable[[dict], object]) -> Callable[[], dict]:
    def make() -> dict:
        notebook = solved()
        change(notebook)
        return notebook

    return make


def without(*cells: str):
    return changed(lambda nb: nb.update(cells=[cell for cell in nb["cells"] if cell["id"] not in cells]))


def with_source(cell_id: str, source: str, **fields):
    return changed(lambda nb: nb["cells"][at(nb, cell_id)].update(source=source, **fields))


def every_cell(change: Callable[[dict], object]):
    return changed(lambda nb: [change(cell) for cell in nb["cells"]])


def colab(names: str) -> Callable[[], dict]:
    """As Colab writes it: sources as lists, its own metadata, no cell ids of ours but where ``names`` says."""

    def make() -> dict:
        notebook = solved()
        notebook |= {"nbformat": 4, "nbformat_minor": 0}
        notebook["metadata"] = {"colab": {"provenance": [], "toc_visible": True}, "kernelspec": {"name": "python3"},
                                "language_info": {"name": "python"}}  # fmt: skip
        for number, cell in enumerate(notebook["cells"]):
            ours = cell.pop("id")
            cell["metadata"] = {"id": ours if names == "metadata.id" else f"x{number}Yz_9-q", "cellView": "form"}
            if cell["cell_type"] == "code":
                cell["metadata"] |= {"outputId": "c1", "colab": {"base_uri": "https://localhost:8080/"}}
                cell |= {"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}]}
            cell["source"] = text(cell).splitlines(keepends=True)
        notebook["cells"].insert(0, code('#@title Set-up { display-mode: "form" }\n!pip install numpy', None, id="zz"))
        return notebook

    return make


def vs_code() -> bytes:
    """As VS Code writes it: no ids, its own metadata, Windows line ends in the file and in the sources."""
    notebook = solved()
    notebook |= {"nbformat": 4, "nbformat_minor": 2}
    notebook["metadata"] = {"language_info": {"name": "python", "version": "3.11"}, "orig_nbformat": 4,
                            "vscode": {"interpreter": {"hash": "aa"}}}  # fmt: skip
    for cell in notebook["cells"]:
        cell.pop("id")
        cell["metadata"] = {"vscode": {"languageId": "python"}, "language": "python"}
        cell["source"] = text(cell).replace("\n", "\r\n")
    return json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()


def format_3() -> dict:
    cells = []
    for cell in solved()["cells"]:
        metadata = {"nbgrader": cell["metadata"].get("nbgrader", {})}
        if cell["cell_type"] == "code":
            cells.append({"cell_type": "code", "language": "python", "collapsed": False, "prompt_number": 1,
                          "input": text(cell).splitlines(keepends=True), "metadata": metadata,
                          "outputs": [{"output_type": "pyout", "prompt_number": 1, "text": ["1"]}]})  # fmt: skip
        else:
            cells.append({"cell_type": cell["cell_type"], "metadata": metadata, "source": [text(cell)]})
    cells.insert(0, {"cell_type": "heading", "level": 2, "metadata": {}, "source": "My work"})
    half = len(cells) // 2
    sheets = [{"cells": cells[:half], "metadata": {}}, {"cells": cells[half:], "metadata": {}}]
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}


def minor(number: int, *, ids: bool = False):
    def make() -> dict:
        notebook = solved() | {"nbformat_minor": number}
        for cell in notebook["cells"] if not ids else ():
            cell.pop("id")
        return notebook

    return make


def merged(first: str, second: str, keep: str, *, leave_stub: bool = False) -> Callable[[], dict]:
    def make() -> dict:
        notebook = solved()
        notebook["cells"][at(notebook, keep)]["source"] = SOLUTIONS[first] + "\n\n\n" + SOLUTIONS[second]
        other = second if keep == first else first
        if leave_stub:
            stub = next(cell for cell in json.loads(BLANK)["cells"] if cell["id"] == other)
            notebook["cells"][at(notebook, other)] = stub
        else:
            del notebook["cells"][at(notebook, other)]
        return notebook

    return make


def split(cut: Callable[[list[str]], int], names: bool) -> Callable[[], dict]:
    """The answer NEAR in two cells; ``names``: the editor gave both halves the metadata."""

    def make() -> dict:
        notebook = solved()
        index = at(notebook, NEAR)
        lines = text(notebook["cells"][index]).split("\n")
        first, second = copy.deepcopy(notebook["cells"][index]), copy.deepcopy(notebook["cells"][index])
        where = cut(lines)
        first["source"], second["source"], second["id"] = "\n".join(lines[:where]), "\n".join(lines[where:]), "half"
        if not names:
            second["metadata"] = {}
        notebook["cells"][index : index + 1] = [first, second]
        return notebook

    return make


def in_class() -> dict:
    indented = "class Network:\n" + "\n".join("    " + line for line in SOLUTIONS[NEAR].split("\n"))
    return with_source(NEAR, indented)()


def nameless(*cells: dict, keep: tuple[str, ...] = ()) -> Callable[[], dict]:
    """Every cell without a name, some left out, some more at the end."""

    def make() -> dict:
        notebook = solved() | {"nbformat_minor": 4}
        for cell in notebook["cells"]:
            if cell["id"] not in keep:
                cell["metadata"] = {}
                cell.pop("id")
        notebook["cells"] += cells
        return notebook

    return make


def nameless_pair() -> dict:
    notebook = nameless()()
    where = {
        source: index for index, cell in enumerate(notebook["cells"]) if (source := text(cell)) in SOLUTIONS.values()
    }
    notebook["cells"][where[SOLUTIONS[NEAR]]]["source"] += "\n\n\n" + SOLUTIONS["linear-activation-forward"]
    del notebook["cells"][where[SOLUTIONS["linear-activation-forward"]]]
    return notebook


def from_zip(*inside, name: str = "homework.zip", **files: str | bytes) -> Callable[[], Files]:
    return lambda: {name: packed(dict(inside) | files)}


LOST_NAMES = "The names of the cells are lost (some editors drop them); answers were found by their functions."
SAME_ANSWER = "was not in its cell; it was found by the function in it."

EDITED = {
    "nothing": case(solved),
    "deleted answer": case(without(FAR), f"The answer cell {FAR} is missing; it counts as not written.", lost=[FAR]),
    "two deleted answers": case(without(NEAR, FAR), f"The answer cells {NEAR} and {FAR} are missing; they count as"
                                " not written.", lost=[NEAR, FAR]),
    "emptied answer": case(with_source(FAR, "  \n"), f"The answer cell {FAR} is empty; it counts as not written.",
                           lost=[FAR]),
    "deleted test": case(without(f"{FAR}-test"), f"The test cell {FAR}-test was missing; it is back."),
    "changed test": case(with_source(f"{FAR}-test", "print('All tests passed')"),
                         f"The test cell {FAR}-test was changed; the original is used."),
    "test pasted twice": case(changed(lambda nb: nb["cells"].append(
        copy.deepcopy(nb["cells"][at(nb, f"{FAR}-test")]) | {"id": "again"}))),
    "answer pasted twice": case(changed(lambda nb: nb["cells"].insert(
        3, copy.deepcopy(nb["cells"][at(nb, FAR)]) | {"id": "again"})),
        f"The cell {FAR} was there 2 times; the last answer counts."),
    "every cell twice": case(changed(lambda nb: nb["cells"].extend(copy.deepcopy(nb["cells"]))),
                             f"The cells {', '.join([*SOLUTIONS][:-1])} and {FAR} were there more than once; of"),
    "reversed": case(changed(lambda nb: nb["cells"].reverse())),
    "moved to the end": case(changed(lambda nb: nb["cells"].append(nb["cells"].pop(at(nb, NEAR))))),
    "given text deleted": case(without("title", "notation", "check-all")),
    "other ids": case(every_cell(lambda cell: cell.update(id=f"c-{abs(hash(cell['id'])):x}"[:20]))),
    "metadata cleared": case(every_cell(lambda cell: cell.update(metadata={}))),
    "metadata and ids gone": case(nameless(), LOST_NAMES),
    "ids that are no ids": case(every_cell(lambda cell: cell.update(id="ä b/" + cell["id"]))),
    "ids that are no text": case(every_cell(lambda cell: cell.update(id=7))),
    "format 3": case(format_3),
    **{f"format 4.{number}": case(minor(number)) for number in range(5)},
    "format 4.2 with ids": case(minor(2, ids=True)),
    "format 4.99": case(minor(99, ids=True)),
    "format of a future": case(changed(lambda nb: nb.update(nbformat=7))),
    "no format": case(changed(lambda nb: [nb.pop("nbformat"), nb.pop("nbformat_minor"), nb.pop("metadata")])),
    "Colab, our ids in metadata.id": case(colab("metadata.id")),
    "Colab, its own ids": case(colab("own"), LOST_NAMES),
    "VS Code": case(vs_code, LOST_NAMES),
    "server's envelope": case(lambda: {"type": "notebook", "name": NAME, "content": solved()}),
    "JSON in JSON": case(lambda: json.dumps(SOLVED)),
    "answer as Markdown": case(with_source(NEAR, SOLUTIONS[NEAR], cell_type="markdown"),
                               f"The answer cell {NEAR} was no code cell any more; it is one again."),
    "answer as fenced Markdown": case(with_source(
        NEAR, f"Mine:\n\n```python\n{SOLUTIONS[NEAR]}\n```", cell_type="markdown"),
                                      f"The answer cell {NEAR} was no code cell any more; it is one again."),
    "answer as fenced Markdown that is not closed": case(with_source(
        NEAR, f"~~~~ py\n{SOLUTIONS[NEAR]}", cell_type="markdown"),
        f"The answer cell {NEAR} was no code cell any more; it is one again."),
    "answer as raw text": case(with_source(NEAR, SOLUTIONS[NEAR], cell_type="raw"),
                               f"The answer cell {NEAR} was no code cell any more; it is one again."),
    "type of cell missing": case(every_cell(lambda cell: cell.pop("cell_type"))),
    "answer in a raw cell without a name": case(changed(lambda nb: [
        nb["cells"].pop(at(nb, NEAR)),
        nb["cells"].append({"cell_type": "raw", "metadata": {}, "id": "r", "source": SOLUTIONS[NEAR]})]),
        f"The answer cell {NEAR} was no code cell any more; it is one again.", f"The answer to {NEAR} {SAME_ANSWER}"),
    "answer typed into the test cell": case(changed(lambda nb: [
        nb["cells"][at(nb, FAR)].update(source=STUB),
        nb["cells"][at(nb, f"{FAR}-test")].update(source=SOLUTIONS[FAR])]),
        f"The answer to {FAR} {SAME_ANSWER}", f"The test cell {FAR}-test was changed; the original is used."),
    "answer written in a new cell below the stub": case(changed(lambda nb: [
        nb["cells"][at(nb, FAR)].update(source=STUB),
        nb["cells"].insert(at(nb, FAR) + 1, code(SOLUTIONS[FAR]))]), f"The answer to {FAR} {SAME_ANSWER}"),
    "cut in two inside the function, both named": case(split(lambda lines: len(lines) - 2, True),
                                                       f"The answer to {NEAR} was split over 2 cells"),
    "cut in two inside the function, one named": case(split(lambda lines: len(lines) - 2, False),
                                                      f"The answer to {NEAR} was split over 2 cells"),
    "two answers merged into the first": case(
        merged(NEAR, FAR, NEAR), f"The answer cell {FAR} is missing; its function stands in another cell."),
    "two answers merged into the second": case(merged(NEAR, FAR, FAR), f"The answer to {NEAR} {SAME_ANSWER}"),
    "two answers in the first, the second untouched": case(
        merged(NEAR, FAR, NEAR, leave_stub=True),
        f"The answer cell {FAR} was left as it was; its function stands in another cell."),
    "two answers in the second, the first untouched": case(merged(NEAR, FAR, FAR, leave_stub=True),
                                                           f"The answer to {NEAR} {SAME_ANSWER}"),
    "two answers merged, no names": case(
        nameless_pair, "The answer cell linear-activation-forward is missing; its function stands in another cell.",
        LOST_NAMES),
    "answer merged with the test below": case(changed(lambda nb: [
        nb["cells"][at(nb, FAR)].update(source=SOLUTIONS[FAR] + "\n\n" + text(nb["cells"][at(nb, f"{FAR}-test")])),
        nb["cells"].pop(at(nb, f"{FAR}-test"))]), f"The test cell {FAR}-test was missing; it is back."),
    "code that raises before and after the function": case(
        with_source(NEAR, f"1 / 0\n\n{SOLUTIONS[NEAR]}\n\n{FUNCTION}(1, 2)")),
    "a cell of magics": case(with_source(NEAR, f"%%time\n#@title Mine\n!ls\n{SOLUTIONS[NEAR]}\nnp.dot?")),
    "inside a class": case(in_class, f"{FUNCTION} stands inside the class Network; only a function outside of any"
                           " class counts.", lost=[NEAR]),
    "another name": case(with_source(NEAR, SOLUTIONS[NEAR].replace(f"def {FUNCTION}", f"def {FUNCTION}2")),
                         f"There is a {FUNCTION}2, but no {FUNCTION}: only a function of exactly this name counts.",
                         lost=[NEAR]),
    "wrong types beside the answers": case(changed(lambda nb: nb["cells"].extend(
        [None, 3, "text", [], {}, {"cell_type": "code", "source": 5}, {"source": {}}, {"source": [1, None]}]))),
    "wrong types inside cells": case(every_cell(lambda cell: cell.update(outputs=7, execution_count="x", attachments=[])
                                                or cell["metadata"].update(tags=3))),
    "metadata that is no object": case(changed(lambda nb: nb.update(metadata=["x"]))),
    "a number of thousands of digits": case(
        lambda: SOLVED.replace('"nbformat_minor": 5', '"nbformat_minor": ' + "9" * 9000)),
    "NaN": case(lambda: SOLVED.replace('"nbformat_minor": 5', '"nbformat_minor": NaN, "x": -Infinity')),
    "keys twice": case(lambda: SOLVED.replace('"cell_type": "code"', '"cell_type": "raw", "cell_type": "code"')),
    "half characters": case(changed(lambda nb: nb["cells"].insert(0, code("# smile \ud83d")))),
    "null characters": case(with_source(NEAR, SOLUTIONS[NEAR].replace("\n", "\n\0", 1))),
    "another language": case(changed(lambda nb: nb.update(metadata={"language_info": {"name": "R"}})),
                             "The notebook says that it is written in R; it was graded as Python."),
    "a forged graded cell": case(changed(lambda nb: nb["cells"].append(code("1", "x", nbgrader={
        "grade": True, "grade_id": "free-points", "points": 1000, "locked": True, "solution": False})))),
    "nothing written": case(lambda: BLANK, "The notebook is as it was released: nothing was filled in.",
                            lost=SOLUTIONS),
}  # fmt: skip


# --- files that are damaged as files ---------------------------------------------------------------


def cut(share: float) -> Callable[[], str]:
    return lambda: SOLVED[: int(len(SOLVED) * share)]


def conflict(upper: str, lower: str) -> Callable[[], str]:
    """Git's marks around the one line in which two versions of the notebook differ: the source of the last answer."""

    def make() -> str:
        lines = SOLVED.split("\n")
        (where,) = [number for number, line in enumerate(lines) if json.dumps(SOLUTIONS[FAR]) in line]
        mine, other = (f'   "source": {json.dumps(source)}' for source in (upper, lower))
        lines[where : where + 1] = ["<<<<<<< HEAD", mine, "||||||| base", "x", "=======", other, ">>>>>>> origin/main"]
        return "\n".join(lines)

    return make


def hole() -> str:
    """A stretch in the middle overwritten, as a disk or a chat program does it."""
    start = SOLVED.index('"id": "compute-cost-task"')
    return SOLVED[:start] + "\0?\0?" * 20 + SOLVED[start + 60 :]


UNREADABLE = (r"The file is damaged or breaks off in the middle: \d+ cells could still be read, the rest is lost;"
              r" hand in the whole file again\.")  # fmt: skip
MERGE = "The file is an unfinished Git merge (it has lines with <<<<<<< and >>>>>>>). The"
LATIN = SOLVED.replace("# ", "# naïve – ", 1)

BYTES = {
    "UTF-8 with a mark": case(lambda: b"\xef\xbb\xbf" + SOLVED.encode()),
    "blank lines first": case(lambda: b"\r\n\n  " + SOLVED.encode()),
    "Windows line ends": case(lambda: SOLVED.replace("\n", "\r\n").encode()),
    **{name: case(lambda name=name: SOLVED.encode(name))
       for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")},
    "UTF-16 BE with a mark": case(lambda: b"\xfe\xff" + SOLVED.encode("utf-16-be")),
    "Windows letters": case(lambda: LATIN.encode("cp1252")),
    "some bytes damaged": case(lambda: SOLVED.replace("# ", "# ä", 3).encode().replace(b"\xc3\xa4", b"\xc3\x28", 1),
                               "One damaged letter of the file was replaced by a question mark."),
    "line breaks inside strings": case(lambda: SOLVED.replace("\\n", "\n", 40)),
    "rubbish behind the end": case(
        lambda: SOLVED + "\n}}</body>", "Behind the end of the notebook the file held something"),
    "null bytes behind the end": case(lambda: SOLVED.encode() + b"\0" * 4096),
    "rubbish before the start": case(lambda: ")]}'\n" + SOLVED),
    "two notebooks in one file": case(lambda: SOLVED + BLANK,
                                      "The file held 2 notebooks, one behind the other; the first one was graded."),
    "two notebooks, the other way round": case(
        lambda: BLANK + "\n" + SOLVED, "The file held 2 notebooks, one behind the other; the second one was graded."),
    "breaks off at the very end": case(lambda: SOLVED.rstrip()[:-3], UNREADABLE),
    "breaks off in the middle": case(cut(0.6), UNREADABLE, "The answer cells linear-backward, ",
                                     lost=["linear-backward", "linear-activation-backward", "l-model-backward", FAR]),
    "the head is lost": case(lambda: SOLVED[SOLVED.index('"id": "course-imports"') :], UNREADABLE),
    "a hole in the middle": case(hole, UNREADABLE),
    "unfinished merge": case(conflict(SOLUTIONS[FAR], SOLUTIONS[FAR] + "\n# mine"),
                             f"{MERGE} upper side was graded; if that is wrong, finish the merge and"),
    "unfinished merge, answered below only": case(
        conflict(STUB, SOLUTIONS[FAR]), f"{MERGE} lower side was graded; if that is wrong, finish the merge and"),
    "unfinished merge, broken above": case(
        lambda: conflict("", SOLUTIONS[FAR])().replace('"source": ""', '"source": "'),
                                           f"{MERGE} lower side was graded; if that is wrong, finish the merge and"),
    "merge marks inside an answer": case(with_source(NEAR, f"<<<<<<< mine\n{SOLUTIONS[NEAR]}\n=======\n>>>>>>> yours"),
                                         "holds the marks of an unfinished Git merge", lost=[NEAR]),
    "outputs nested without end": case(
        lambda: SOLVED.replace('"outputs": []', '"outputs": ' + "[" * 3000 + "]" * 3000, 1),
                                       UNREADABLE),
}  # fmt: skip


# --- in another place, under another name, in an archive -------------------------------------------

PLACES = {
    "Untitled.ipynb": case(lambda: SOLVED, f"The notebook was called Untitled.ipynb; it was graded as {NAME}.",
                           name="Untitled.ipynb"),
    **{name: case(lambda: SOLVED, f"The notebook was called {name}; it was graded as {NAME}.", name=name)
       for name in (f"{ASSIGNMENT} (1).ipynb", f"{ASSIGNMENT}-Copy1.ipynb", f"{ASSIGNMENT}.ipynb.txt",
                    f"{ASSIGNMENT}.json",
                    f"{ASSIGNMENT}.ipynb (2)", f"{ASSIGNMENT}.IPYNB", "[final] *?.ipynb")},
    "a very long name": case(lambda: SOLVED, "…", name="x" * 240 + ".ipynb"),
    "a name with control characters": case(lambda: SOLVED, "The notebook was called a\ufffd[2Jb\ufffd.ipynb",
                                           name="a\x1b[2Jb\n.ipynb"),
    "a folder deep": case(lambda: {f"{ASSIGNMENT}/{NAME}": SOLVED.encode()},
                          f"The notebook lay in the folder {ASSIGNMENT}; it was found there."),
    "folders deep": case(lambda: {f"a/b/c/{NAME}": SOLVED.encode()},
                         "The notebook lay in the folder a/b/c; it was found there."),
    "deep, under another name": case(lambda: {"a/b/mine.ipynb": SOLVED.encode()},
                                     f"The notebook was called a/b/mine.ipynb; it was graded as {NAME}."),
    "with JupyterLab's copy": case(lambda: {NAME: SOLVED.encode(),
                                            f".ipynb_checkpoints/{ASSIGNMENT}-checkpoint.ipynb": BLANK.encode()}),
    "only JupyterLab's copy": case(lambda: {f".ipynb_checkpoints/{ASSIGNMENT}-checkpoint.ipynb": SOLVED.encode()},
                                   "-checkpoint.ipynb could be graded, a copy that JupyterLab keeps; it may be older"),
    "empty beside JupyterLab's copy": case(
        lambda: {NAME: b"", f".ipynb_checkpoints/{ASSIGNMENT}-checkpoint.ipynb": SOLVED.encode()},
        f"{NAME} cannot be used (the file is empty); the answers in .ipynb_checkpoints/",
        "That is a copy that JupyterLab keeps; it may be older than your last change."),
    "several, one of them answered": case(lambda: {"a.ipynb": BLANK.encode(), "b.ipynb": SOLVED.encode()},
                                          f"There were several notebooks (a.ipynb, b.ipynb), none called {NAME}; the"
                                          " one with your answers, b.ipynb, was graded."),
    "the right name, and an empty other": case(lambda: {NAME: SOLVED.encode(), "backup.ipynb": BLANK.encode()}),
    "the right name, and the same again": case(lambda: {NAME: SOLVED.encode(), "backup.ipynb": SOLVED.encode()}),
    "the right name, and other answers": case(
        lambda: {NAME: SOLVED.encode(), "new.ipynb": json.dumps(with_source(NEAR, "x = 1")()).encode()},
        f"new.ipynb has other answers in it; {NAME} has the right name, so it was graded."),
    "the right name untouched": case(lambda: {NAME: BLANK.encode(), "work.ipynb": SOLVED.encode()},
                                     f"{NAME} is as it was released; the answers in work.ipynb were graded."),
    "the right name damaged": case(lambda: {NAME: cut(0.5)().encode(), "work.ipynb": SOLVED.encode()},
                                   f"{NAME} is damaged; the answers in work.ipynb were graded."),
    "the right name unreadable": case(lambda: {NAME: b"%PDF-1.4", "work.ipynb": SOLVED.encode()},
                                      f"{NAME} cannot be used (this is a PDF); the answers in work.ipynb were graded."),
    "a zip": case(from_zip((NAME, SOLVED)), "The notebook was taken out of homework.zip."),
    "a zip with folders and an Apple's shadows": case(
        from_zip((f"__MACOSX/hw/._{NAME}", b"\0\5\x16\7"), ("hw/.DS_Store", b"x"), (f"hw/{NAME}", SOLVED)),
        f"The notebook was taken out of homework.zip (hw/{NAME})."),
    "a zip with several": case(from_zip(("a.ipynb", BLANK), ("b.ipynb", SOLVED)),
                               "The notebook was taken out of homework.zip (b.ipynb)."),
    "a zip made on Windows": case(from_zip((f"hw\\{NAME}", SOLVED)),
                                 f"The notebook was taken out of homework.zip (hw/{NAME})."),
    "a zip in a zip": case(lambda: {"outer.zip": packed({"inner.zip": packed({NAME: SOLVED})})},
                           "The notebook was taken out of outer.zip: inner.zip."),
    "a zip under the notebook's name": case(lambda: packed({NAME: SOLVED}),
                                            f"{NAME} was a zip archive; the notebook was taken out of it."),
    "a zip beside an untouched notebook": case(
        lambda: {NAME: BLANK.encode(), "work.zip": packed({NAME: SOLVED})},
        f"{NAME} is as it was released; the answers in work.zip: {NAME} were graded."),
    "a zip beside the notebook": case(lambda: {NAME: SOLVED.encode(), "data.zip": b"PK\3\4 not really"}),
}  # fmt: skip


# --- nothing that could be graded ------------------------------------------------------------------


def encrypted(data: bytes) -> bytes:
    """The archive with the marks of encryption set, in the file's header and in the table of contents."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[data.index(signature) + offset] |= 1
    return bytes(changed)


def overwritten(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 64 + data[middle + 64 :]


def as_link(info: zipfile.ZipInfo) -> None:
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16


NOTHING = {
    "an empty file": case(lambda: b"", problem="the file is empty; save the notebook, and hand in the whole file"),
    "only zeros": case(lambda: b"\0" * 3000, problem="the file holds nothing but blanks"),
    "half a head": case(lambda: b'{"cells": [', problem="this cannot be read as a notebook, not even in parts; open"
                        " your notebook in JupyterLab, save it, and hand in that file"),
    "brackets without end": case(
        lambda: b"[" * 100_000, problem="this cannot be read as a notebook, not even in parts"),
    "bytes": case(lambda: bytes(range(256)) * 9, problem="this cannot be read as a notebook, not even in parts"),
    "a log-in page": case(lambda: b"\n<html><body>Sign in", problem="this is a web page (perhaps that of a log-in); "),
    "a PDF with our name": case(lambda: b"%PDF-1.7 \x80\x81", problem=f"this is a PDF; {DOWNLOAD}"),
    "Python with our name": case(lambda: "import numpy as np\ndef linear_forward(A, W, b):\n    pass",
                                 problem=f"this is Python code, not the notebook; {DOWNLOAD}"),
    "a pointer of Git LFS": case(lambda: "version https://git-lfs.github.com/spec/v1\noid sha256:12",
                                 problem="this is only a pointer to a file; hand in the file that it points to"),
    "a list": case(lambda: b"[]", problem="valid JSON, but not a notebook; hand in the .ipynb file itself"),
    "a string": case(lambda: b'"notebook"', problem="valid JSON, but not a notebook"),
    "an object": case(lambda: b"{}", problem="valid JSON, but not a notebook"),
    "cells that are a number": case(lambda: b'{"cells": 7}', problem="not a readable notebook (its cells are no list)"),
    "cells that are null": case(lambda: b'{"cells": null}', problem="its cells are no list"),
    "no cells": case(lambda: b'{"cells": []}', problem="the notebook has no cells"),
    "cells with nothing in them": case(lambda: {"cells": [{}, code("", "a"), code("  ", "b")]},
                                       problem="no cell of the notebook has anything in it"),
    "more cells than anybody writes": case(lambda: {"cells": [{"cell_type": "code", "source": "x"}] * 5_001},
                                           problem="a notebook of more than 5000 cells; delete what does not belong"),
    "somebody's holiday": case(lambda: {"cells": [code("print('Lisbon')")]},
                               problem=f"no answer cell of {ASSIGNMENT} is in this notebook, and none of its functions;"
                               f" write your answers into {NAME}, and hand that in"),
    "another language": case(lambda: {"cells": [code("x <- 1")], "metadata": {"kernelspec": {"language": "R"}}},
                             problem="and none of its functions (its language is R)"),
    "another assignment": case(lambda: (COURSE.release("digits") / "digits.ipynb").read_bytes(),
                               problem="this is the notebook of the assignment digits, not of"
                               f" {ASSIGNMENT}; hand in {NAME}"),
    "yet another assignment": case(lambda: (COURSE.release("application") / "application.ipynb").read_bytes(),
                                   problem="this is the notebook of the assignment application"),
    **{name: case(lambda name=name: {"x" + name: b"?"},
                  problem=f"{NAME}: no notebook was handed in, only x{name} ({what}); {todo}")
       for name, what, todo in [
           (".pdf", "a PDF", DOWNLOAD), (".html", "a web page", DOWNLOAD), (".docx", "a text document", DOWNLOAD),
           (".py", "a Python file", DOWNLOAD), (".png", "a picture", DOWNLOAD), (".txt", "a text file", DOWNLOAD),
           (".tar.gz", "a kind of archive that is not opened", "hand in the notebook itself, or pack it as a .zip"),
           (".rar", "a kind of archive that is not opened", "hand in the notebook itself, or pack it as a .zip"),
           (".7z", "a kind of archive that is not opened", "hand in the notebook itself, or pack it as a .zip"),
           (".ipynb.crdownload", "a download that did not end", DOWNLOAD),
           (".lnk", "only a pointer to a file", "hand in the file that it points to")]},
    "many other files": case(lambda: {f"{number}.dat": b"x" for number in range(9)},
                             problem="only 0.dat, 1.dat, 2.dat and 6 other files"),
    "a zip without a notebook": case(from_zip(("a.txt", "x")), problem="homework.zip: there is no notebook in it"),
    "an empty zip": case(lambda: {"homework.zip": packed({})}, problem="homework.zip: there is no notebook in it"),
    "a zip that breaks off": case(lambda: {"homework.zip": packed({NAME: SOLVED})[:-300]},
                                  problem="homework.zip: this is no zip archive, or one that breaks off in the middle"),
    "a zip that is no zip": case(
        lambda: {"homework.zip": b"Rar!" * 50}, problem="homework.zip: this is no zip archive, or one that"),
    "a zip with a password": case(lambda: {"homework.zip": encrypted(packed({NAME: SOLVED}))},
                                  problem=f"homework.zip: {NAME}: cannot be read (it asks for a password);"),
    "a zip of another kind": case(lambda: {"homework.zip": packed({NAME: SOLVED}).replace(b"\x08\x00", b"\x0e\x00")},
                                  problem="homework.zip"),
    "a zip whose content is damaged": case(lambda: {"homework.zip": overwritten(packed({NAME: SOLVED}))},
                                           problem="it is damaged"),
    "a zip with names that lead out": case(
        from_zip((f"../{NAME}", SOLVED), (f"/etc/{NAME}", SOLVED), (f"C:/{NAME}", SOLVED)),
        problem="homework.zip: all that is in it are links, or names that lead out of it"),
    "a zip with a link": case(lambda: {"homework.zip": packed({NAME: "/etc/passwd"}, as_link)},
                              problem="homework.zip: all that is in it are links, or names"),
    "zips in zips in zips": case(lambda: {"1.zip": packed({"2.zip": packed({"3.zip": packed({NAME: SOLVED})})})},
                                 problem="archives packed into each other, three deep, which are not opened; put"),
}  # fmt: skip

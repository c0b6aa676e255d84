"""Damaged hand-ins: the answers are found, or a sentence says why not; nothing of the hand-in changes.

Every case is loaded and rebuilt, which is where damage ends: from there on a notebook is in the source's structure.
"""

import gzip
import hashlib
import io
import json
import os
import re
import resource
import socket
import stat
import struct
import sys
import tarfile
import tempfile
import tracemalloc
from itertools import count
from pathlib import Path
from random import Random

import nbformat
import pytest

from coursekit.cli import terminal
from coursekit.model import notebooks
from coursekit.model.errors import CourseError
from coursekit.submission import archives, candidates, cells, loading, matching, notebook_parser, rebuild, salvage
from tests.classroom import ASSIGNMENT, copy_course
from tests.hostile.damage import (
    BYTES,
    EDITED,
    NAME,
    NOTHING,
    PLACES,
    SOLUTIONS,
    SOLVED,
    Files,
    code,
    every_cell,
    packed,
    solved,
)
from tests.patience import spends_at_most

NUMBERS = count()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return copy_course(tmp_path_factory.mktemp("room") / "course")


@pytest.fixture
def student():
    return f"s{next(NUMBERS)}"


def put(course, student: str, made: dict | str | bytes | Files, name: str = NAME) -> Path:
    """Hand in one notebook (a dict, text or bytes), or several files by name."""
    folder = course.submitted(ASSIGNMENT, student)
    if not (isinstance(made, dict) and made and all(isinstance(value, bytes) for value in made.values())):
        made = {
            name: made if isinstance(made, bytes) else (made if isinstance(made, str) else json.dumps(made)).encode()
        }
    for path, data in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def fingerprint(folder: Path) -> dict[str, tuple]:
    """Every name, kind, time and content; nothing that waits is opened."""
    found = {}
    for where, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            status = os.lstat(where + b"/" + name)
            regular = stat.S_ISREG(status.st_mode)
            data = hashlib.sha256(Path(os.fsdecode(where + b"/" + name)).read_bytes()).hexdigest() if regular else ""
            found[where + b"/" + name] = (status.st_mode, status.st_mtime_ns, status.st_size if regular else 0, data)
    return found


def load(course, student):
    return loading.load(course, ASSIGNMENT, student)


def rebuilt(course, loaded):
    return rebuild.rebuild(notebooks.read(course.source(ASSIGNMENT)), loaded.match)


def said(told: str, pattern: str) -> bool:
    return pattern in told or (r"\d" in pattern and re.fullmatch(pattern, told) is not None)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{name}") for group in (EDITED, BYTES, PLACES)
                                  for name, case in group.items()])  # fmt: skip
def test_answers_are_found_and_only_what_concerns_the_student_is_told(room, student, case):
    folder = put(room, student, case.make(), case.name)
    before = fingerprint(folder)
    loaded = load(room, student)
    result = rebuilt(room, loaded)
    assert fingerprint(folder) == before
    assert loaded.problem == ""
    assert lost(result.notebook) == case.lost
    told = (*loaded.notes, *result.repairs)
    assert len(told) == len(case.told), told
    for sentence, pattern in zip(told, case.told, strict=True):
        assert said(sentence, pattern), (sentence, pattern)
    nbformat.validate(result.notebook)


def lost(notebook) -> set[str]:
    """Answers whose function is not what the solution makes of it, wherever it stands in the notebook."""
    answers = {cell.id: normal(cell.source) for cell in notebook.cells if notebooks.is_solution(cell)}
    everything = "\n".join(answers.values())
    places = {name: everything if text == normal(matching.ELSEWHERE) else text for name, text in answers.items()}
    found = {name for name, source in SOLUTIONS.items() if normal(source) in places[name]}
    found -= {name for name, text in answers.items() if "<<<<<<<" in text}
    return set(SOLUTIONS) - found


def normal(source: str) -> str:
    return re.sub(r"\s*\n", "\n", source.replace("ä", "").replace("\ufffd(", "")).strip()


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NOTHING.items()])
def test_where_nothing_can_be_graded_a_sentence_says_why_and_what_to_do(room, student, case):
    folder = put(room, student, case.make(), case.name)
    before = fingerprint(folder)
    loaded = load(room, student)
    assert fingerprint(folder) == before
    assert case.problem in loaded.problem
    assert "; " in loaded.problem.split(": ", 1)[1]  # where: what was found; what to do
    assert loaded.match is None


def test_an_empty_folder_is_said_in_words(room, student):
    room.submitted(ASSIGNMENT, student).mkdir(parents=True)
    assert load(room, student).problem == f"{NAME}: no notebook was handed in, the folder is empty; hand in {NAME}"


def test_an_archive_of_another_kind_is_not_opened(room, student):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(NAME)
        entry.size = len(SOLVED.encode())
        archive.addfile(entry, io.BytesIO(SOLVED.encode()))
    put(room, student, {NAME: buffer.getvalue()})
    assert "this is a kind of archive that is not opened; hand in the notebook itself" in load(room, student).problem
    assert gzip.decompress(buffer.getvalue())  # it was a whole one


# --- what is no file -------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [NAME, "x.ipynb", "deep/er"])
def test_a_link_is_never_followed(room, student, link):
    """A link to somebody else's notebook, or to any file of ours, must not be read."""
    other = put(room, f"{student}-other", SOLVED)
    path = room.submitted(ASSIGNMENT, student) / link
    path.parent.mkdir(parents=True)
    path.symlink_to(other if link == "deep/er" else other / NAME)
    loaded = load(room, student)
    assert "a symbolic link, not a file; hand in the notebook itself" in loaded.problem
    assert loaded.match is None


def test_a_link_in_place_of_the_whole_folder_is_not_followed(room, student):
    other = put(room, f"{student}-other", SOLVED)
    folder = room.submitted(ASSIGNMENT, student)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(other)
    assert "a symbolic link in place of the folder" in load(room, student).problem


def test_a_file_that_becomes_a_link_or_a_pipe_after_it_was_listed_is_not_read(room, student):
    from coursekit.submission import folders

    folder = put(room, student, SOLVED)
    (item,) = folders.listing(folder).files
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(room.source(ASSIGNMENT))
    with pytest.raises(OSError, match=r"symbolic links|not a file"):
        item.read(10)
    (folder / NAME).unlink()
    os.mkfifo(folder / NAME)
    with pytest.raises(OSError, match="not a file"):
        item.read(10)


def test_pipes_and_sockets_are_not_opened(room, student, tmp_path, monkeypatch):
    """Opening a pipe would wait for ever."""
    folder = room.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True)
    os.mkfifo(folder / NAME)
    monkeypatch.chdir(folder)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as open_socket:
        open_socket.bind("s.ipynb")
        assert "a pipe, socket or device, not a file" in load(room, student).problem
    put(room, student, SOLVED, "real.ipynb")
    assert load(room, student).problem == ""


def test_a_folder_in_the_notebooks_place_is_looked_into(room, student):
    put(room, student, {f"{NAME}/{NAME}": SOLVED.encode()})
    assert load(room, student).notes == (f"The notebook lay in the folder {NAME}; it was found there.",)


@pytest.fixture
def anybody(room):
    """A course that everybody may look into, and the rights of nobody in particular while the test runs."""
    load(room, "nobody")  # nothing is left to import
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        course = copy_course(Path(folder) / "course")
        (course.root / "submitted").mkdir()
        (course.root / "submitted").chmod(0o777)
        root = os.geteuid() == 0  # for whom nothing is unreadable
        if root:
            os.seteuid(65534)
        try:
            yield course
        finally:
            if root:
                os.seteuid(0)


def test_what_may_not_be_read_is_said_in_words(anybody):
    folder = put(anybody, "sam", SOLVED)
    (folder / NAME).chmod(0)
    assert "cannot be read (Permission denied); check its permissions" in load(anybody, "sam").problem
    folder.chmod(0)
    assert "the folder cannot be opened (Permission denied); check its permissions" in load(anybody, "sam").problem
    folder.chmod(0o700)


def test_a_name_that_is_no_text_can_be_told(room, student):
    """Names out of a foreign zip file may be any bytes."""
    folder = os.fsencode(put(room, student, SOLVED, "x.ipynb"))
    Path(os.fsdecode(folder + b"/x.ipynb")).rename(os.fsdecode(folder + b"/\xdcbung.ipynb"))
    Path(os.fsdecode(folder + b"/\xff.txt")).write_bytes(b"x")
    loaded = load(room, student)
    (note,) = loaded.notes
    assert note.encode()
    assert "bung.ipynb; it was graded as" in note
    assert dict(loaded.supporting) == {}


# --- too much of it --------------------------------------------------------------------------------


def bomb_by_ratio() -> bytes:
    return packed({NAME: b" " * (30 << 20)})


def bomb_by_count() -> bytes:
    return packed({f"{number}.txt": b"" for number in range(archives.MAX_ENTRIES + 1)})


def bomb_by_lie() -> bytes:
    """The table of contents says that it is small."""
    data = bytearray(packed({NAME: b"[" + b"0," * (12 << 20)}))
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 1000)
    return bytes(data)


def bomb_by_table() -> bytes:
    """A table of contents of a million entries behind an end that owns up to one."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *[0] * 18) + b""
    table = (entry + b"x") * 300_000
    return b"PK\x03\x04" + table + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(table), 4, 0)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (bomb_by_ratio, "it unpacks to more than 200 times its size"),
        (bomb_by_count, "an archive of more than 2000 files"),
        (bomb_by_table, "an archive of more than 2000 files"),
        (bomb_by_lie, "it is damaged|cannot be read"),
    ],
)
def test_a_zip_bomb_costs_no_time_and_no_memory(room, student, make, why):
    put(room, student, {"homework.zip": make()})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with spends_at_most(2):
        problem = load(room, student).problem
        kib = 1 if sys.platform == "linux" else 1024
        assert re.search(why, problem), problem
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / kib < 64 << 10


def test_a_huge_notebook_is_not_read(room, student, monkeypatch):
    monkeypatch.setattr(candidates, "MAX_NOTEBOOK_BYTES", 1000)
    put(room, student, SOLVED)
    assert "larger than 0 MiB; clear all outputs, save, and hand in again" in load(room, student).problem


@pytest.mark.parametrize(
    "text",
    [
        '{"cells": [' + '{"cell_type": [' * 200_000,
        '{"cells": [{"id": [' + '{"id": 0},' * 200_000,
        ('{"id": [' * 900 + '{"id": 0},' * 900) * 100,
        '{"cell_type": "code", "source": "' * 50_000,
        "<<<<<<< a\n=======\n>>>>>>> b\n" * 50_000,
        "{" * 1_000_000,
        '"' + "\\" * 1_000_001,
    ],
    ids=["nested", "listed", "both", "half cells", "marks", "braces", "backslashes"],
)
def test_damage_made_to_cost_time_does_not(text):
    with spends_at_most(5), pytest.raises(CourseError):
        salvage.notebooks_in(text.encode(), NAME)


def test_thousands_of_cells_and_endless_sources_take_seconds(room, student):
    """Parsing is bounded: what is too long is looked at line by line."""
    notebook = solved()
    notebook["cells"] += [code(f"def f{number}(x):\n    return x", f"c{number}") for number in range(4000)]
    notebook["cells"] += [code("x = [" + "1, " * 100_000 + "]", f"big{number}") for number in range(10)]
    put(room, student, notebook)
    with spends_at_most(10):
        result = rebuilt(room, load(room, student))
    assert lost(result.notebook) == set()


FENCES = {
    "blanks without end": "```" + " " * 150_000 + "x",
    "shorter and shorter": "\n".join("`" * length for length in range(600, 2, -1)),
    "never closed": "\n".join(["~~~", *["`" * length + "\n" * 300 for length in range(300, 2, -1)]]),
}


@pytest.mark.parametrize("name", FENCES)
def test_fences_made_to_cost_time_do_not(name):
    """Each took seconds or minutes, as many times as a notebook has cells and is looked at."""
    piece = cells.SubmittedCell("markdown", FENCES[name], ())
    with spends_at_most(1):
        assert piece.code == FENCES[name]


def test_thousands_of_cells_without_a_name_are_named_at_once():
    """Five thousand took a quarter of a minute, and a folder may hold twenty such notebooks."""
    cells = [{"cell_type": "code", "source": "x"}] * notebook_parser.MAX_CELLS
    with spends_at_most(3):
        (found,) = salvage.notebooks_in(json.dumps({"cells": cells}).encode(), NAME)
    assert len({cell.id for cell in found.notebook.cells}) == notebook_parser.MAX_CELLS


def test_an_entry_of_an_archive_without_a_name_is_passed_over(room, student):
    """A name ends at its first null byte; where that is the first of all, nothing is left."""
    put(room, student, {"homework.zip": packed({NAME: SOLVED, "q.bin": "1"}).replace(b"q.bin", b"\0.bin")})
    assert load(room, student).problem == ""


def test_names_of_files_that_are_said_move_no_cursor(capsys):
    """A folder under submitted/ that is no assignment's is named before anybody is graded."""
    terminal.say("submitted/anna/\x1b]0;pwned\x07\udcff\u202e: not graded\nnext line")
    assert capsys.readouterr().out == "submitted/anna/\ufffd]0;pwned\ufffd\\udcff\ufffd: not graded\nnext line\n"


def test_thousands_of_files_are_not_all_looked_at(room, student):
    folder = put(room, student, SOLVED)
    for number in range(30):
        (folder / f"{number}.ipynb").write_text("{}")
    for number in range(300):
        (folder / f"{number}.csv").write_text("1")
    loaded = load(room, student)
    assert loaded.problem == ""
    assert len(loaded.supporting) == 200


def test_of_many_large_notebooks_the_newest_is_read_and_the_others_are_counted(room, student, monkeypatch):
    """Twenty, each as large as one may be, took a quarter of a minute."""
    monkeypatch.setattr(candidates, "MAX_COMPARED", 100_000)
    folder = put(room, student, {f"n{number}.ipynb": SOLVED.encode() for number in range(5)})
    for number in range(5):
        os.utime(folder / f"n{number}.ipynb", (number, 10_000 * (number == 3) + number))
    loaded = load(room, student)
    assert loaded.notes[0] == f"The notebook was called n3.ipynb; it was graded as {NAME}."
    assert loaded.notes[-1] == "4 more notebooks were not looked at: there was too much to read. Hand in one notebook."
    assert lost(rebuilt(room, loaded).notebook) == set()


def test_archives_in_archives_share_what_may_be_read_of_a_submission(room, student, monkeypatch):
    """Each may be as large as one may be: all of them together took 600 MiB."""
    monkeypatch.setattr(candidates, "MAX_READ_BYTES", 1 << 20)
    noise = Random(1).randbytes(300_000)
    nested = packed({f"{number}.zip": packed({"x.bin": noise}) for number in range(3)})
    put(room, student, {f"{letter}.zip": nested for letter in "abc"})
    tracemalloc.start()
    problem = load(room, student).problem
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem
    assert peak < 6 << 20
    put(room, student, {NAME: packed({"x.ipynb": SOLVED, "x.bin": noise + noise + noise + noise})})
    assert "there would be more than 1 MiB of notebooks and archives to read; hand in" in load(room, student).problem


def test_of_thousands_of_own_cells_some_hundred_are_kept(room, student):
    """Each is run, shown and written: five thousand of them took fifty times as long as a notebook."""
    notebook = solved()
    notebook["cells"] += [code(f"x = {number}", f"c{number}") for number in range(rebuild.MAX_ADDED + 7)]
    put(room, student, notebook)
    result = rebuilt(room, load(room, student))
    assert len(result.notebook.cells) == len(solved()["cells"]) + rebuild.MAX_ADDED
    assert result.repairs == ("Of your own cells the first 500 were kept, 7 were left out.",)


@pytest.mark.parametrize("outputs", [None, 3, [None], [{}], [{"output_type": "stream"}], {"a": 1}])
def test_outputs_of_any_kind_of_damage_cost_nothing(room, student, outputs):
    """They are thrown away before anything looks at them."""
    put(room, student, every_cell(lambda cell: cell.update(outputs=outputs))())
    assert lost(rebuilt(room, load(room, student)).notebook) == set()


@pytest.mark.parametrize("name", ["", ".hidden", "a b", "a+b", "a*", "a[1]", "../x", "a/b", "a:b", "=1+1", "-rf"])
def test_a_folder_name_that_nbgrader_would_misread_is_refused(name):
    with pytest.raises(CourseError, match="cannot be a student's id"):
        loading.check_name(name)


@pytest.mark.parametrize("name", ["anna", "s123456", "o'neil", "jean-luc", "müller", "a.b@example.org", "学生"])
def test_names_of_real_people_are_taken(name):
    loading.check_name(name)

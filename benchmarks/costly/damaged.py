"""Files that are broken, empty, of another kind, or no files at all."""

import json
import os
import socket
from pathlib import Path

from benchmarks.costly.kit import ALL, NAME, NOTHING_LOST, Costly, Write, hand_in, lazily, packed, put, solved


def _costly(name: str, write: Write, lost: frozenset[str] = ALL, refusable: bool = False) -> Costly:
    return Costly(name, "damaged", write, lost, refusable)


FIRST_TWO = {"initialize_parameters", "initialize_parameters_deep"}


def _link(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / NAME).symlink_to("/etc/passwd")


def _links(folder: Path) -> None:
    put(folder, NAME, solved())
    (folder / "self").symlink_to(folder)
    (folder / "root").symlink_to("/")
    (folder / "data.txt").symlink_to("/etc/passwd")


def _pipe(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.mkfifo(folder / NAME)


def _pipe_beside(folder: Path) -> None:
    put(folder, NAME, solved())
    os.mkfifo(folder / "data.csv")


def _socket(folder: Path) -> None:
    put(folder, NAME, solved())
    with socket.socket(socket.AF_UNIX) as one:
        here = os.open(folder, os.O_RDONLY)
        try:
            one.bind(f"/proc/self/fd/{here}/line")  # a path of its own may be too long for a socket
        finally:
            os.close(here)


def _forbidden(folder: Path) -> None:
    put(folder, NAME, solved())
    put(folder, "secret/data.txt", b"x")
    (folder / "secret").chmod(0)
    (folder / NAME).chmod(0)


def _folder(folder: Path) -> None:
    (folder / NAME).mkdir(parents=True)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True)


def _sparse(folder: Path) -> None:
    folder.mkdir(parents=True)
    with (folder / NAME).open("wb") as file:
        file.truncate(1 << 40)


def _odd_names(folder: Path) -> None:
    put(folder, NAME, solved())
    for name in (b"\xff\xfe.txt", b"a\nb.txt", b"-rf", b"%s%n", b"\x1b[2J", "\u202e.txt".encode()):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"x")


INPUTS = (
    _costly("an empty folder", _empty),
    _costly("an empty file", hand_in(b"")),
    _costly("only zeros", hand_in(bytes(1 << 20))),
    _costly("half a notebook", lazily(lambda: json.dumps(solved())[:20_000]), ALL - FIRST_TWO),
    _costly("a notebook without its last bracket", lazily(lambda: json.dumps(solved())[:-2]), NOTHING_LOST),
    _costly("cells that are a number", hand_in({"cells": 7})),
    _costly("a list", hand_in("[]")),
    _costly("a log-in page", hand_in(b"<!DOCTYPE html><html>Sign in")),
    _costly("a PDF", hand_in(b"%PDF-1.7 \x80\x81", "step-by-step.pdf")),
    _costly("half a zip", lazily(lambda: packed([(NAME, json.dumps(solved()))])[:-40], "hand-in.zip")),
    _costly("a zip with a wrong table of contents", lazily(
        lambda: packed([(NAME, json.dumps(solved()))]).replace(b"PK\x01\x02", b"PK\x01\x09"), "hand-in.zip")),
    _costly("a notebook of a terabyte with nothing in it", _sparse),
    _costly("a link in the place of the notebook", _link),
    _costly("links to everywhere beside it", _links, NOTHING_LOST),
    _costly("a pipe in the place of the notebook", _pipe),
    _costly("a pipe beside it", _pipe_beside, NOTHING_LOST),
    _costly("a socket beside it", _socket, NOTHING_LOST),
    _costly("a folder in the place of the notebook", _folder),
    _costly("files that nobody may read", _forbidden, NOTHING_LOST, refusable=True),
    _costly("names that are no text", _odd_names, NOTHING_LOST),
)  # fmt: skip

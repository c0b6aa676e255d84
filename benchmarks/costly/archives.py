"""Zip archives that unpack to far more than they are, or that hold more than anybody hands in."""

import io
import json
import random
import struct
import zipfile
import zlib
from itertools import chain
from pathlib import Path

from benchmarks.costly.kit import ALL, MIB, NAME, Costly, Write, accents, lazily, packed, put, solved

DENSE = 190  # times its size: what is packed still denser is refused


def _costly(name: str, write: Write, lost: frozenset[str] = frozenset(), refusable: bool = True) -> Costly:
    return Costly(name, "archives", write, lost, refusable)


def _dense(size: int) -> bytes:
    """Bytes that pack to about a 190th of their size: zeros, and among them noise."""
    noise = random.Random(1).randbytes(size // DENSE)
    step = size // 16
    return b"".join(noise[n * len(noise) // 16 : (n + 1) * len(noise) // 16].ljust(step, b"\0") for n in range(16))


def _notebook() -> tuple[str, str]:
    return NAME, json.dumps(solved())


def _large_notebook(number: int, mib: int) -> tuple[str, bytes]:
    padding = _dense(mib * MIB).hex()[: mib * MIB]
    return f"copy-{number:02}/{NAME}", json.dumps(solved() | {"metadata": {"x": padding}}).encode()


def _unpacks_to_79_mib() -> bytes:
    files = ((f"data/{number:03}.bin", _dense(MIB // 4)) for number in range(199))
    return packed(chain([(NAME, json.dumps(solved()))], files))


def _bomb() -> bytes:
    return packed([*((f"{n}.ipynb", bytes(20 * MIB)) for n in range(19)), _notebook()])


def _dense_notebooks() -> bytes:
    return packed(_large_notebook(number, 15) for number in range(19))


def _three_deep() -> bytes:
    """Three archives in each of three, and in each of these as much as an archive may hold."""
    inner = packed((f"{number}.bin", _dense(4 * MIB)) for number in range(200))
    middle = packed([(f"{number}.zip", inner) for number in range(3)])
    return packed([(f"{number}.zip", middle) for number in range(3)])


def _overlapping(entries: int = 1_999) -> bytes:
    """A table of contents in which every entry is the same piece of the file."""
    data = json.dumps(solved() | {"metadata": {"x": "y" * MIB}}).encode()
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = stream.compress(data) + stream.flush()
    sizes = struct.pack("<LLL", zlib.crc32(data), len(body), len(data))
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x5C22) + sizes + struct.pack("<HH", 6, 0) + b"x.json"
    head = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x5C22) + sizes
    table = b"".join(
        head + struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, 0) + name
        for name in (b"%04d.ipynb" % number for number in range(entries))
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, entries, entries, len(table), len(local) + len(body), 0)
    return local + body + table + end


def _many(name: str) -> bytes:
    return packed([_notebook(), *((name.format(number), b"x") for number in range(1_990))])


def _accents() -> bytes:
    return packed([_notebook(), *((f"{number:02}{accents(32_000)}.txt", b"x") for number in range(60))])


def _no_encoding() -> bytes:
    """Names of which nothing says how they are to be read."""
    stand_ins = [(f"{number:02}" + "#" * 65_000, b"x") for number in range(60)]
    noise = bytes(random.Random(3).choices(range(0xE0, 0xE7), k=65_000))
    return packed([_notebook(), *stand_ins]).replace(b"#" * 65_000, noise)


def _extra_fields() -> bytes:
    """zipfile copies what is left of an entry's extra fields for each of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(*_notebook())
        for number in range(60):
            entry = zipfile.ZipInfo(f"{number}.txt")
            archive.writestr(entry, b"x")
            entry.extra = struct.pack("<HH", 0x7777, 0) * 16_000
    return buffer.getvalue()


def _three_archives(folder: Path) -> None:
    """Three archives as large as one may be, which do not pack."""
    noise = random.Random(2).randbytes(48 * MIB)
    for number in range(3):
        put(folder, f"{number}.zip", packed([(f"{number}.bin", noise)], method=0))


INPUTS = (
    _costly(
        "a zip that unpacks to 50 MiB beside the notebook", lazily(_unpacks_to_79_mib, "hand-in.zip"), refusable=False
    ),
    _costly("a bomb of 19 notebooks, a thousand times denser", lazily(_bomb, "hand-in.zip")),
    _costly("19 notebooks of 15 MiB, packed 190 times denser", lazily(_dense_notebooks, "hand-in.zip")),
    _costly("archives in archives, three deep and three wide", lazily(_three_deep, "hand-in.zip"), ALL),
    _costly("2,000 entries that are the same piece", lazily(_overlapping, "hand-in.zip")),
    _costly("2,000 entries", lazily(lambda: _many("data/{:04}.txt"), "hand-in.zip"), refusable=False),
    _costly(
        "2,000 entries, each a hundred folders deep", lazily(lambda: _many("a/" * 100 + "{:04}.txt"), "hand-in.zip")
    ),
    _costly(
        "2,000 entries with names of 2,000 letters", lazily(lambda: _many("n" * 2_000 + "{:04}.txt"), "hand-in.zip")
    ),
    _costly("60 names of 32,000 accents", lazily(_accents, "hand-in.zip")),
    _costly("60 names of 65,000 bytes without an encoding", lazily(_no_encoding, "hand-in.zip")),
    _costly("60 entries with 16,000 extra fields each", lazily(_extra_fields, "hand-in.zip"), ALL),
    _costly("2,000 archives in an archive", lazily(lambda: _many("{:04}.zip"), "hand-in.zip"), refusable=False),
    _costly("three archives of 48 MiB of noise", _three_archives, ALL),
)

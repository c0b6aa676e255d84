"""Hand-ins that want much room on the disk: files beside the notebook, and outputs in it."""

from pathlib import Path

from benchmarks.costly.kit import MIB, NAME, Costly, Write, behind_every_cell, code, lazily, put, solved, with_cells


def _costly(name: str, write: Write) -> Costly:
    return Costly(name, "writing", write)


def _beside(files: dict[str, int]) -> Write:
    """The solved notebook, and beside it sparse files of these sizes."""

    def write(folder: Path) -> None:
        put(folder, NAME, solved())
        for name, size in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.truncate(size)

    return write


def _deep(folder: Path) -> None:
    put(folder, NAME, solved())
    for number in range(20):
        put(folder, f"d{number}/" + "d/" * 100 + "x.txt", b"x")


SCRATCH = "for n in range(600):\n    with open(f'scratch-{n}', 'wb') as file: file.write(bytes(100_000))"
TINY = "import os\nfor n in range(15_000): open(f'tiny-{n}', 'w').close()"
FOLDERS = "import os\ntry:\n    for n in range(3_000): os.mkdir('d'); os.chdir('d')\nexcept OSError: pass"

INPUTS = (
    _costly("200 files of 16 MiB of zeros", _beside({f"{n}.bin": 16 * MIB for n in range(200)})),
    _costly("200 files of 256 KiB", _beside({f"{n}.bin": MIB // 4 for n in range(200)})),
    _costly("5,000 tiny files", _beside({f"{n}.txt": 1 for n in range(5_000)})),
    _costly("a file of a terabyte with nothing in it", _beside({"data.bin": 1 << 40})),
    _costly("20 notebooks of 3 MiB of zeros beside it", _beside({f"copy-{n}.ipynb": 3 * MIB for n in range(20)})),
    _costly("folders a hundred deep", _deep),
    _costly("8 MB of HTML in every cell", lazily(lambda: behind_every_cell(
        "for _ in range(2): display({'text/html': '<p>' + 'x' * 3_900_000}, raw=True)"))),
    _costly("200,000 letters on both streams in every cell", lazily(lambda: behind_every_cell(
        "import sys; print('x' * 300_000); print('y' * 300_000, file=sys.stderr)"))),
    _costly("60 MB written where it runs", lazily(lambda: with_cells([code(SCRATCH)]))),
    _costly("15,000 tiny files where it runs", lazily(lambda: with_cells([code(TINY)]))),
    _costly("3,000 folders in each other where it runs", lazily(lambda: with_cells([code(FOLDERS)]))),
)  # fmt: skip

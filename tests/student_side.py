"""Run every release as a student does: in a folder of its own, with nothing but the packages of its requirements.txt.

usage: python tests/student_side.py [ASSIGNMENT ...]

The untouched release must run to its end, and every test cell must name the exercise that is not written yet. With the
solutions of the source notebook filled in, every cell must run and every public test pass. Needs no coursekit and works
on Windows and macOS; exit code 1 and one line per problem otherwise.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent


def main(assignments):
    """Exit code: 0 when all is well."""
    if sys.platform == "win32":  # the kernel client needs sockets in its event loop
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    problems = [problem for name in assignments for problem in try_release(name)]
    print("\n".join(problems) or f"fine: {', '.join(assignments)} on Python {sys.version.split()[0]}, {sys.platform}")
    return 1 if problems else 0


def try_release(assignment):
    """Problems of one release, in words."""
    source = json.loads((ROOT / "source" / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8"))
    answers = {cell["id"]: cell["source"] for cell in source["cells"] if graded(cell).get("solution")}
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "my folder"
        shutil.copytree(ROOT / "release" / assignment, folder)
        path = folder / f"{assignment}.ipynb"
        failed = {cell["id"]: error for cell, error in run(path)}
        for cell in source["cells"]:
            test = graded(cell).get("grade") and not graded(cell).get("solution")
            if test and "is not written yet" not in failed.get(cell["id"], ""):
                said = failed.get(cell["id"], "no error")
                problems.append(f"{assignment}[{cell['id']}], untouched: does not say what is to be written ({said})")
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = answers.get(cell["id"], cell["source"])
        path.write_text(json.dumps(notebook), encoding="utf-8")
        problems += [f"{assignment}[{cell['id']}], solved: {error}" for cell, error in run(path)]
    return problems


def run(path):
    """(cell, error) for every cell that fails, the notebook run in its own folder."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=3600,
        startup_timeout=3600,
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return [
        (cell, output["ename"] + ": " + output["evalue"])
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output["output_type"] == "error"
    ]


def graded(cell):
    return cell["metadata"].get("nbgrader", {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or sorted(path.name for path in (ROOT / "release").iterdir() if path.is_dir())))
